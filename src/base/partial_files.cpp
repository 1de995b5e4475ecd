#include "base/partial_files.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process_mark.h"
#include "base/text.h"

namespace maquette {

namespace {

namespace fs = std::filesystem;

constexpr time_t kDay = 24 * 60 * 60;
constexpr size_t kMarkDigits = 8;

// The process mark in ".STEM.MARK-PROCESS-NUMBER.partial.EXTENSION", where the stem may hold anything.
std::optional<std::string> owner_of(const std::string& name) {
  constexpr std::string_view kPartial = ".partial";
  const size_t end = name.rfind(kPartial);
  if (name.empty() || name[0] != '.' || end == std::string::npos) return std::nullopt;
  const std::string_view extension = std::string_view(name).substr(end + kPartial.size());
  if (!extension.empty() && (extension[0] != '.' || extension.find('.', 1) != std::string_view::npos))
    return std::nullopt;
  const size_t dot = end == 0 ? std::string::npos : name.rfind('.', end - 1);
  if (dot == std::string::npos || dot == 0) return std::nullopt;

  const std::vector<std::string> parts = split(std::string_view(name).substr(dot + 1, end - dot - 1), '-');
  const auto digits = [](std::string_view text, std::string_view allowed) {
    return !text.empty() && text.size() <= 10 && text.find_first_not_of(allowed) == std::string_view::npos;
  };
  if (parts.size() != 3 || parts[0].size() != kMarkDigits || !digits(parts[0], "0123456789abcdef") ||
      !digits(parts[1], "0123456789") || !digits(parts[2], "0123456789")) {
    return std::nullopt;
  }
  return parts[0] + "-" + parts[1];
}

bool is_stale(const fs::path& path, const std::string& owner) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
    return false;
  const Whereabouts where = find_process(owner);
  if (where == Whereabouts::elsewhere) return std::time(nullptr) - status.st_mtime > kDay;
  return where == Whereabouts::gone;
}

}  // namespace

fs::path partial_name(const fs::path& path) {
  static std::atomic<int> counter{0};
  const std::string name = fmt::format(".{}.{}-{}.partial{}", path.stem().string(), process_mark(), ++counter,
                                       path.extension().string());
  return path.parent_path() / name;
}

void remove_stale_partial_files(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder.empty() ? fs::path(".") : folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::optional<std::string> owner = owner_of(at->path().filename().string());
    if (owner && is_stale(at->path(), *owner)) ::unlink(at->path().c_str());
  }
}

}  // namespace maquette
