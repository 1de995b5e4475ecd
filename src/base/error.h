// Error: the one exception of the program, and the five things that every message says:
// what could not be done, where, what was found, what was expected, and a hint.
#pragma once

#include <exception>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maquette {

// What kind of failure it is; decides the exit code of the program and the status of the HTTP answer.
enum class ErrorCode {
  failed,          // anything that has no better name
  usage,           // wrong arguments, or arguments that contradict each other
  not_found,       // a file, a model, a name that does not exist
  refused,         // not allowed: licence, role, rule
  bad_file,        // damaged, hostile or unsupported input file
  weights,         // a checkpoint or adapter that does not fit
  no_memory,       // the job would not fit in memory
  cancelled,       // stopped by the user
  limit_exceeded,  // a measured quality limit asked for was not met (for example the seam of a texture)
  conflict         // it was changed by somebody else meanwhile, or exists already
};

// Exit codes, documented in docs/exit-codes.md: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused,
// 5 bad file, 6 weights do not fit, 7 not enough memory, 8 cancelled, 9 limit exceeded, 10 conflict.
int exit_code(ErrorCode code);
std::string_view name(ErrorCode code);

class Error : public std::exception {
 public:
  template <typename... Args>
  Error(ErrorCode code, fmt::format_string<Args...> what, Args&&... args)
      : code_(code), what_(fmt::format(what, std::forward<Args>(args)...)) {}

  // Where it happened, what was found there and what should have been: shown as aligned lines in this order.
  template <typename T>
  Error& with(std::string field, T&& value) {
    fields_.emplace_back(std::move(field), fmt::format("{}", std::forward<T>(value)));
    return *this;
  }
  template <typename... Args>
  Error& hint(fmt::format_string<Args...> text, Args&&... args) {
    hint_ = fmt::format(text, std::forward<Args>(args)...);
    return *this;
  }

  ErrorCode code() const { return code_; }
  const char* what() const noexcept override { return what_.c_str(); }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  const std::string& hint_text() const { return hint_; }

  // The message as people see it on the terminal:
  //   cannot load the UNet of "x.safetensors"
  //     tensor    conv_in.weight
  //     found     [640, 640]
  //     hint      ...
  std::string message() const;

 private:
  ErrorCode code_;
  std::string what_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string hint_;
};

}  // namespace maquette
