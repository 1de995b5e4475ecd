#include "server/spool_file.h"

#include <fstream>

#include "base/partial_files.h"

namespace maquette::server {

namespace fs = std::filesystem;

namespace {

void require_limit(uint64_t bytes, uint64_t limit) {
  if (bytes <= limit) return;
  throw BadRequest(413, "the file is too large")
      .with("found", fmt::format("{} bytes or more", bytes))
      .with("expected", fmt::format("at most {} bytes", limit));
}

}  // namespace

// What a kill leaves has the name of a temporary file of this process, and goes when the next one starts.
SpoolFile::SpoolFile(const fs::path& spool) : path_(partial_name(spool / "upload")) {}

SpoolFile::~SpoolFile() {
  std::error_code error;
  fs::remove(path_, error);
}

void SpoolFile::receive(BodyReader& body, const std::optional<uint64_t>& announced, uint64_t limit) {
  require_limit(announced.value_or(0), limit);
  std::ofstream file(path_, std::ios::binary);
  uint64_t bytes = 0;
  for (std::string_view part = body.next(); !part.empty(); part = body.next()) {
    bytes += part.size();
    require_limit(bytes, limit);
    file.write(part.data(), static_cast<std::streamsize>(part.size()));
    if (!file) break;
  }
  file.close();
  if (!file)
    throw Error(ErrorCode::failed, "cannot keep the file").with("where", path_.parent_path().string());
}

}  // namespace maquette::server
