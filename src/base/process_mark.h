// Process mark: a short name of a process, by which others can tell that it is gone, whatever it left behind.
#pragma once

#include <string>
#include <string_view>

namespace maquette {

// Of this process: "9f2c41d0-4711", this boot of this machine (and container), and its number there.
std::string process_mark();

enum class Whereabouts {
  here,      // it runs, or another one has its number by now
  gone,      // surely
  elsewhere  // on another machine, or before this boot: nothing is known
};
Whereabouts find_process(std::string_view mark);

}  // namespace maquette
