#include "base/process_mark.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

namespace maquette {

namespace {

constexpr size_t kMarkDigits = 8;

// Process numbers mean something only within one boot and one namespace: containers that share a folder have
// the same ones.
const std::string& mark_of_here() {
  static const std::string mark = [] {
    std::error_code error;
    const std::filesystem::path space = std::filesystem::read_symlink("/proc/self/ns/pid", error);
    return sha256_hex(read_stream_file("/proc/sys/kernel/random/boot_id") + space.string())
        .substr(0, kMarkDigits);
  }();
  return mark;
}

// It has ended, and nobody has asked how: "4711 (name) Z ...", where the name may hold anything.
bool is_zombie(int64_t process) {
  const std::string status = read_stream_file(fmt::format("/proc/{}/stat", process));
  const size_t name_end = status.rfind(')');
  return name_end != status.npos && status.compare(name_end, 3, ") Z") == 0;
}

}  // namespace

std::string process_mark() { return fmt::format("{}-{}", mark_of_here(), ::getpid()); }

Whereabouts find_process(std::string_view mark) {
  const size_t dash = mark.find('-');
  if (dash == mark.npos || mark.substr(0, dash) != mark_of_here()) return Whereabouts::elsewhere;
  const auto number = parse_integer(mark.substr(dash + 1));
  if (!number || *number <= 0) return Whereabouts::elsewhere;
  if (::kill(static_cast<pid_t>(*number), 0) != 0 && errno == ESRCH) return Whereabouts::gone;
  return is_zombie(*number) ? Whereabouts::gone : Whereabouts::here;
}

}  // namespace maquette
