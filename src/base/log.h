// Logging for the people who run the program: one line each, to standard error, levels set by
// --quiet/--verbose. Standard output is for results only.
#pragma once

#include <fmt/core.h>
#include <string_view>
#include <utility>

namespace maquette::log {

enum class Level { debug, info, warning, error };

void set_level(Level level);
void write(Level level, std::string_view text);

template <typename... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace maquette::log
