#include "server/page.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"

namespace maquette::server {

namespace fs = std::filesystem;

namespace {

constexpr size_t kLargestFile = size_t{32} << 20;

constexpr std::string_view kNotBuilt =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Maquette</title></head><body>"
    "<h1>Maquette is running</h1><p>This program was built without its page. Build the page (<code>cd web "
    "&amp;&amp; npm "
    "ci &amp;&amp; npm run build</code>), then the program again. The API is at <a "
    "href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></body></html>\n";

std::string_view type_of(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".webp", "image/webp"},
      {".woff2", "font/woff2"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".ico", "image/x-icon"},
      {".txt", "text/plain; charset=utf-8"},
      {".map", "application/json"}};
  const auto found =
      std::ranges::find_if(kTypes, [&](const auto& type) { return path.ends_with(type.first); });
  return found == std::end(kTypes) ? "application/octet-stream" : found->second;
}

Response text(int status, std::string_view body) {
  Response response{.status = status, .body = std::string(body)};
  return response.set("Content-Type", "text/plain; charset=utf-8");
}

}  // namespace

Page::Page(const fs::path& folder) {
  if (folder.empty()) {
    for (const EmbeddedFile& file : embedded_page()) files_[std::string(file.path)] = file.bytes;
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + entry.path().lexically_relative(folder).string();
    read_[path] = read_text_file(entry.path(), kLargestFile).take();
  }
  for (const auto& [path, bytes] : read_) files_[path] = bytes;
  if (!files_.contains("/index.html")) {
    throw Error(ErrorCode::not_found, "there is no page in this folder")
        .with("where", (folder / "index.html").string());
  }
}

Response Page::answer(const RequestHead& request) const {
  if (request.method != "GET" && request.method != "HEAD")
    return text(405, "only GET here\n").set("Allow", "GET, HEAD");
  std::string path = percent_decode(request.path, false);
  auto found = files_.find(path);
  if (found == files_.end()) {
    // A name with a dot in its last part is a file that is not there; the rest are views of the page.
    const std::string_view last = std::string_view(path).substr(path.rfind('/') + 1);
    if (path.starts_with("/assets/") || (last.find('.') != last.npos && !path.starts_with("/shows/")))
      return text(404, "there is nothing at this address\n");
    path = "/index.html";
    found = files_.find(path);
  }
  Response response{.constant = found == files_.end() ? kNotBuilt : found->second};
  response.set("Content-Type",
               std::string(found == files_.end() ? "text/html; charset=utf-8" : type_of(path)));
  // Names in assets/ hold a hash of their bytes.
  if (path.starts_with("/assets/"))
    return response.set("Cache-Control", "public, max-age=31536000, immutable");
  const std::string tag = fmt::format("\"{}\"", sha256_hex(response.constant).substr(0, 32));
  response.set("Cache-Control", "no-cache").set("ETag", tag);
  if (request.header("if-none-match") == tag) {
    response.status = 304;
    response.constant = {};
  }
  return response;
}

}  // namespace maquette::server
