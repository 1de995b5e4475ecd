#include "base/error.h"

namespace maquette {

int exit_code(ErrorCode code) { return static_cast<int>(code) + 1; }

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed: return "failed";
    case ErrorCode::usage: return "usage";
    case ErrorCode::not_found: return "not-found";
    case ErrorCode::refused: return "refused";
    case ErrorCode::bad_file: return "bad-file";
    case ErrorCode::weights: return "weights";
    case ErrorCode::no_memory: return "no-memory";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::limit_exceeded: return "limit-exceeded";
    case ErrorCode::conflict: return "conflict";
  }
  return "failed";
}

std::string Error::message() const {
  std::string text = what_;
  for (const auto& [field, value] : fields_) text += fmt::format("\n  {:<9} {}", field, value);
  if (!hint_.empty()) text += fmt::format("\n  {:<9} {}", "hint", hint_);
  return text;
}

}  // namespace maquette
