#include "base/program_folders.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <link.h>
#include <set>
#include <sys/stat.h>

#include "base/hash.h"

namespace maquette {

std::vector<std::filesystem::path> program_folders() {
  namespace fs = std::filesystem;
  std::vector<fs::path> found;
  const auto add = [&found](const fs::path& file) {
    std::error_code error;
    const fs::path real = fs::canonical(file, error);
    if (!error) found.push_back(real.parent_path());
  };
  // The C library knows shared libraries by their path, but programs by the word that they were called with.
  Dl_info info{};
  const auto* here = reinterpret_cast<const void*>(&program_folders);
  if (::dladdr(here, &info) != 0 && info.dli_fname) {
    const fs::path file = info.dli_fname;
    if (file.filename().string().find(".so") != std::string::npos) add(file);
  }
  add("/proc/self/exe");
  return found;
}

std::string program_mark() {
  std::set<std::string> files;
  // The program itself has no name in this list, nor has what the kernel puts there.
  const auto note = [](dl_phdr_info* info, size_t, void* to) {
    const std::string_view name = info->dlpi_name ? info->dlpi_name : "";
    static_cast<std::set<std::string>*>(to)->emplace(name.empty() ? "/proc/self/exe" : name);
    return 0;
  };
  ::dl_iterate_phdr(note, &files);
  std::string text;
  for (const std::string& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) continue;
    text +=
        fmt::format("{} {} {}.{:09}\n", file, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return sha256_hex(text);
}

}  // namespace maquette
