// Prompts of everyday sets that no single published picture stands for: what a prompt under suspicion is
// measured against. Short and long ones, since longer prompts draw harder.
#pragma once

#include <string_view>

namespace maquette::app {

inline constexpr std::string_view kNeutralPrompts[] = {
    "a street in the rain",
    "a kitchen in the morning, light through the blinds",
    "an empty classroom",
    "wooden fence, tall grass, a gravel path, overcast sky",
    "a harbour with small boats, seen from the quay",
    "stone wall",
    "a row of houses at the edge of a field, late autumn, long shadows",
    "a workshop full of tools, dust in the light",
    "forest floor with ferns",
    "a bridge over a narrow river, seen from below, early morning fog",
    "an attic with boxes and an old armchair, one small window",
    "a bus stop at night",
    "dunes",
    "a greenhouse with broken panes and climbing plants",
    "a market square without people, awnings half closed, puddles on the paving",
    "a railway platform under an iron roof",
    "corrugated metal, rust, peeling blue paint",
    "a bedroom with slanted ceiling, posters on the wall, unmade bed, afternoon",
    "a snowy hill with three pine trees",
    "a corridor of an office, evening",
    "cliffs above a grey sea, gulls far away",
    "a barn interior with hay and a ladder",
    "a park bench under a lamp post",
    "an alley with laundry between the houses, warm light, strong contrast",
    "a library with high shelves and green lamps",
    "clouds over a plain",
    "a parking lot on a roof, city lights behind it, dusk",
    "an old staircase with worn steps and an iron handrail",
    "a vegetable garden behind a hut, tools leaning on the wall, soft light",
    "a canyon with a dry river bed",
    "a small shop front with a striped awning and crates of fruit",
    "a tiled bathroom, steam, a round mirror",
    "reeds at the shore of a lake, reflections, very calm",
    "a factory hall with tall windows, pillars, oil stains on the floor",
    "a mountain hut in the last light, smoke from the chimney, first stars",
    "moss on bark",
    "a suburban garden with a trampoline, midday, flat colours",
    "a tunnel entrance in a hillside",
    "a theatre stage without actors, red curtain half open, dim light",
    "a windy meadow with a single tree, watercolour",
};

}  // namespace maquette::app
