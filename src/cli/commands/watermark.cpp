// The commands of invisible watermarks: watermark add, watermark read.
#include "app/watermark.h"

#include <cmath>
#include <memory>

#include "cli/commands.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

// Bytes of any kind as two digits each.
std::string hex_of(const std::string& bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

bool is_printable(const std::string& bytes) {
  for (const char c : bytes)
    if (c < ' ' || c > '~') return false;
  return true;
}

void print_added(const std::string& out, const app::WatermarkAdded& added) {
  if (json_output()) {
    const Json psnr = std::isinf(added.psnr) ? Json() : Json(added.psnr);
    print_json({{"file", out}, {"watermark", hex_of(added.text)}, {"bits", added.bits}, {"psnr", psnr}});
    return;
  }
  print_line(out);
  print_line(fmt::format("PSNR {:.2f} dB beside the picture without it", added.psnr));
}

void print_read(const app::WatermarkRead& read) {
  if (json_output()) {
    Json known = Json::array();
    for (const watermark::Recognised& mark : read.known)
      known.push_back({{"name", mark.name},
                       {"matching", mark.matching},
                       {"length", mark.length},
                       {"chance", mark.chance}});
    Json json = {{"known", known}};
    if (read.text) {
      json["watermark"] = hex_of(*read.text);
      json["text"] = is_printable(*read.text) ? Json(*read.text) : Json();
      json["agreement"] = read.agreement;
    }
    print_json(json);
    return;
  }
  for (const watermark::Recognised& mark : read.known)
    print_line(fmt::format("{}: {} of {} bits (by chance: {:.0e})", mark.name, mark.matching, mark.length,
                           mark.chance));
  if (!read.text) return;
  print_line(is_printable(*read.text) ? fmt::format("text  {}", *read.text)
                                      : fmt::format("bytes {}", hex_of(*read.text)));
  print_line(
      fmt::format("{:.0f} % of the blocks agree (50 to 75 %: probably no watermark)", 100 * read.agreement));
}

}  // namespace

std::function<void()> watermark_add(CLI::App& app) {
  struct Arguments {
    std::string picture, out, text{watermark::kOwnText};
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("PICTURE", a->picture, "of 256 x 256 pixels or more, 8 or 16 bits")->required();
  app.add_option("--out", a->out, "file to write")->required();
  app.add_option("--text", a->text,
                 "what it says, 1 to 32 bytes (\"Maquette\"); a reader must know how many");
  return [a] { print_added(a->out, app::add_watermark(a->picture, a->out, a->text)); };
}

std::function<void()> watermark_read(CLI::App& app) {
  struct Arguments {
    std::string picture;
    std::optional<size_t> bytes;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("PICTURE", a->picture, "where to look")->required();
  app.add_option("--bytes", a->bytes, "also read a text of this length, whatever it says");
  return [a] {
    const app::WatermarkRead read = app::read_watermark(a->picture, a->bytes);
    if (read.known.empty() && !read.text)
      throw Error(ErrorCode::not_found, "no known watermark in the picture")
          .with("file", a->picture)
          .hint("that proves nothing: scaling and cropping remove watermarks (docs/watermark.md)");
    print_read(read);
  };
}

}  // namespace maquette::cli
