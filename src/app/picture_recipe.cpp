#include "app/picture_recipe.h"

#include <algorithm>

#include "app/a1111_record.h"
#include "app/picture_record.h"
#include "media/comfy_prompt.h"
#include "sampling/samplers.h"
#include "sampling/schedule.h"

namespace maquette::app {

namespace {

constexpr std::string_view kComfyPrompt = "prompt";
constexpr std::string_view kComfyWorkflow = "workflow";

std::optional<std::string> text_named(const media::PictureMetadata& metadata, std::string_view keyword) {
  const auto found = std::ranges::find(metadata.other, keyword,
                                       [](const auto& pair) -> std::string_view { return pair.first; });
  return found == metadata.other.end() ? std::nullopt : std::optional(found->second);
}

// The error in one line.
std::string line_of(const Error& error) {
  std::string line = error.what();
  for (const auto& [field, value] : error.fields())
    line += fmt::format("; {} {}", field, value.substr(0, 200));
  return line;
}

// Whether the program has a sampler or schedule of this name.
template <typename Parse>
bool is_known(Parse parse, const std::string& name) {
  try {
    static_cast<void>(parse(name));
    return true;
  } catch (const Error&) {
    return false;
  }
}

void leave_out_unknown_names(Recipe& recipe, std::vector<std::string>& notes) {
  const auto sampler = [](const std::string& name) { return sampling::parse_sampler(name); };
  const auto schedule = [](const std::string& name) { return sampling::parse_schedule(name); };
  if (!recipe.sampler.empty() && !is_known(sampler, recipe.sampler)) {
    notes.push_back(fmt::format("the sampler \"{}\" is not known here", recipe.sampler));
    recipe.sampler.clear();
  }
  if (!recipe.schedule.empty() && !is_known(schedule, recipe.schedule)) {
    notes.push_back(fmt::format("the schedule \"{}\" is not known here", recipe.schedule));
    recipe.schedule.clear();
  }
}

void read_own(const std::string& text, PictureRecipe& result) {
  const Result<Json> record = parse_json(text, "the picture's record");
  if (!record) {
    result.notes.push_back(line_of(record.error()));
    return;
  }
  const Result<Recipe> recipe = recipe_of_record(*record);
  if (recipe) {
    result.recipe = *recipe;
  } else {
    result.notes.push_back(line_of(recipe.error()));
  }
}

// Fields that cannot be read are taken out, one after another, until the rest can.
void read_parameters(media::A1111Parameters parameters, PictureRecipe& result) {
  const auto leave_out = [&](std::string_view key, const std::string& why) {
    result.notes.push_back(why);
    std::erase_if(parameters.fields, [&](const auto& field) { return field.first == key; });
  };
  if (const auto sampler = parameters.find("Sampler");
      sampler && !is_known([](const std::string& name) { return sampling::parse_sampler(name); }, *sampler))
    leave_out("Sampler", fmt::format("the sampler \"{}\" is not known here", *sampler));
  for (size_t tries = parameters.fields.size() + 1; tries > 0; --tries) {
    std::vector<std::string> notes;
    try {
      result.recipe = recipe_of_parameters(parameters, notes);
      result.notes.insert(result.notes.end(), notes.begin(), notes.end());
      leave_out_unknown_names(*result.recipe, result.notes);
      return;
    } catch (const Error& error) {
      const auto field =
          std::ranges::find(error.fields(), "field", [](const auto& pair) { return pair.first; });
      if (field == error.fields().end()) {
        result.notes.push_back(line_of(error));
        return;
      }
      leave_out(std::string(field->second), line_of(error));
    }
  }
}

void read_comfy(const std::string& text, PictureRecipe& result) {
  const Result<media::ComfyRecipe> comfy = media::parse_comfy_prompt(text);
  if (!comfy) {
    result.notes.push_back(line_of(comfy.error()));
    return;
  }
  result.recipe = comfy->recipe;
  result.notes = comfy->notes;
  leave_out_unknown_names(*result.recipe, result.notes);
}

}  // namespace

std::string_view name(RecipeSource source) {
  switch (source) {
    case RecipeSource::none: return "none";
    case RecipeSource::maquette: return "maquette";
    case RecipeSource::a1111: return "a1111";
    case RecipeSource::comfyui: return "comfyui";
  }
  return "none";
}

PictureRecipe recipe_of_metadata(const media::PictureMetadata& metadata) {
  PictureRecipe result;
  if (metadata.recipe_json) {
    result.source = RecipeSource::maquette;
    result.original = *metadata.recipe_json;
    read_own(*metadata.recipe_json, result);
  } else if (metadata.parameters) {
    result.source = RecipeSource::a1111;
    result.original = *metadata.parameters;
    const auto parameters = media::parse_a1111_parameters(*metadata.parameters);
    if (parameters) {
      read_parameters(*parameters, result);
    } else {
      result.notes.push_back(line_of(parameters.error()));
    }
  } else if (const auto graph = text_named(metadata, kComfyPrompt)) {
    result.source = RecipeSource::comfyui;
    result.original = *graph;
    read_comfy(*graph, result);
  } else if (const auto workflow = text_named(metadata, kComfyWorkflow)) {
    result.source = RecipeSource::comfyui;
    result.original = *workflow;
    result.notes.emplace_back(
        "the picture carries the editor's workflow only, which says nothing about what was run");
  }
  return result;
}

Result<PictureRecipe> recipe_of_picture(const fs::path& file) {
  const Result<media::PictureMetadata> metadata = media::read_picture_metadata(file);
  if (!metadata) return metadata.error();
  return recipe_of_metadata(*metadata);
}

}  // namespace maquette::app
