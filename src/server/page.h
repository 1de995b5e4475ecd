// The page's files: those of web/dist, assembled into the program when it was built.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/http_message.h"

namespace maquette::server {

class Page {
 public:
  // The files of the program; or, for those who work on the page, those of a folder as they are now. Throws
  // Error.
  explicit Page(const std::filesystem::path& folder = {});
  // path: as sent. Addresses of views ("/shows/lanterns") get the one page, whose script shows them.
  Response answer(const RequestHead& request) const;

 private:
  std::map<std::string, std::string, std::less<>> read_;  // from the folder: keeps the bytes
  std::map<std::string, std::string_view, std::less<>> files_;
};

struct EmbeddedFile {
  std::string_view path;  // "/assets/index-DCAYIWng.js"
  std::string_view bytes;
};
std::vector<EmbeddedFile> embedded_page();

}  // namespace maquette::server
