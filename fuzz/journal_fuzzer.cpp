// Any bytes are a file of records whose good beginning is read, or one that is begun anew; what is appended
// behind them is read after them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "base/record_file.h"

namespace {

constexpr std::string_view kHeader = "maquette steps 1 key\n";
constexpr std::string_view kMore = "appended";

std::vector<std::string> records_of(const std::string& path) {
  maquette::RecordFile file(path, kHeader);
  std::vector<std::string> records;
  while (const auto record = file.read()) records.push_back(*record);
  return records;
}

void append_behind_all(const std::string& path) {
  maquette::RecordFile file(path, kHeader);
  while (file.read()) continue;
  file.append(kMore);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int descriptor = [] {
    char name[] = "/tmp/maquette_journal_fuzzer_XXXXXX";
    const int made = mkstemp(name);
    unlink(name);
    return made;
  }();
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size))
    return 0;

  std::vector<std::string> records = records_of(path);
  append_behind_all(path);
  records.emplace_back(kMore);
  if (records_of(path) != records) std::abort();
  return 0;
}
