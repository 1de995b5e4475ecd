#include "base/program_folders.h"

#include <dlfcn.h>
#include <string>

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

}  // namespace maquette
