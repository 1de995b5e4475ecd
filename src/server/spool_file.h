// A file in the studio's spool that is gone at the end, unless somebody moved it away.
#pragma once

#include <filesystem>
#include <optional>

#include "server/http_message.h"

namespace maquette::server {

class SpoolFile {
 public:
  explicit SpoolFile(const std::filesystem::path& spool);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes the body to the file as it comes. Throws BadRequest(413) above the limit, at once where the length
  // is announced; Error(failed) where the disk is full.
  void receive(BodyReader& body, const std::optional<uint64_t>& announced, uint64_t limit);

 private:
  std::filesystem::path path_;
};

}  // namespace maquette::server
