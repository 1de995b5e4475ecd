// Everything in the archive is hostile until it was checked: sizes and counts have limits, names stay inside,
// the XML has no external entities (pugixml reads none) and its groups are not deep.
#include <algorithm>
#include <pugixml.hpp>

#include "base/text.h"
#include "media/image_io.h"
#include "media/layers/openraster.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr size_t kMaxXml = size_t{4} << 20;
constexpr size_t kMaxLayers = 8'000;
constexpr int kMaxDepth = 20;
constexpr size_t kMaxNotes = 100;
constexpr int64_t kMaxOffset = 300'000;
constexpr size_t kPngBitDepth = 24;  // offset of IHDR's field

Error bad_ora(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the OpenRaster file").with("found", found);
}

int64_t whole_number(const pugi::xml_node& node, const char* attribute, int64_t otherwise) {
  const std::string text = node.attribute(attribute).as_string();
  if (text.empty()) return otherwise;
  const auto value = parse_double(trim(text));  // some programs write "12.0"
  if (!value || std::abs(*value) > static_cast<double>(kMaxOffset))
    throw bad_ora(fmt::format("{}=\"{}\"", attribute, text.substr(0, 40)));
  return static_cast<int64_t>(*value);
}

class StackReader {
 public:
  StackReader(ZipReader& zip, const OpenRasterLimits& limits) : zip_(zip), limits_(limits) {}

  // Layers bottom to top. Throws Error(bad_file).
  std::vector<Layer> read(const pugi::xml_node& stack, int depth) {
    if (depth > kMaxDepth) throw bad_ora(fmt::format("more than {} levels of stacks", kMaxDepth));
    std::vector<Layer> layers;
    for (const pugi::xml_node& node : stack.children()) {
      if (node.type() != pugi::node_element) continue;
      const std::string_view kind = node.name();
      if (kind == "layer") {
        if (node.attribute("src").empty()) {
          note("a layer without a picture was left out");
        } else {
          layers.push_back(read_layer(node));
        }
      } else if (kind == "stack") {
        layers.push_back(read_group(node, depth));
      } else {
        note(fmt::format("an element <{}> was left out", kind.substr(0, 40)));
      }
    }
    std::ranges::reverse(layers);
    return layers;
  }
  int bits() const { return bits_; }
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  Layer common(const pugi::xml_node& node) {
    if (++count_ > kMaxLayers) throw bad_ora(fmt::format("more than {} layers", kMaxLayers));
    Layer layer;
    layer.name = node.attribute("name").as_string();
    if (!is_utf8(layer.name)) layer.name = latin1_to_utf8(layer.name);
    layer.x = whole_number(node, "x", 0);
    layer.y = whole_number(node, "y", 0);
    const std::string opacity = node.attribute("opacity").as_string("1");
    layer.opacity = std::clamp(parse_double(trim(opacity)).value_or(1), 0., 1.);
    layer.visible = std::string_view(node.attribute("visibility").as_string()) != "hidden";
    const std::string_view op = node.attribute("composite-op").as_string("svg:src-over");
    if (const auto mode = blend_mode_of_openraster(op)) {
      layer.blend = *mode;
    } else {
      note(fmt::format("layer \"{}\": the mode {} is not known here, normal is used",
                       layer.name.substr(0, 80), op.substr(0, 40)));
    }
    return layer;
  }

  Layer read_group(const pugi::xml_node& node, int depth) {
    Layer group = common(node);
    group.is_group = true;
    group.pass_through = std::string_view(node.attribute("isolation").as_string("auto")) != "isolate";
    if (group.x != 0 || group.y != 0) {
      note(fmt::format("group \"{}\": its offset was left out", group.name.substr(0, 80)));
      group.x = group.y = 0;
    }
    group.children = read(node, depth + 1);
    return group;
  }

  Layer read_layer(const pugi::xml_node& node) {
    Layer layer = common(node);
    const std::string source = node.attribute("src").as_string();
    const std::string file = zip_.read(source).take();
    if (detect_format(as_bytes(file)) != ImageFormat::png)
      throw bad_ora("a layer that is no PNG").with("entry", source.substr(0, 200));
    ReadOptions options{.limits = limits_.layer};
    options.limits.pixels = std::min(options.limits.pixels, limits_.all_pixels - pixels_);
    if (options.limits.pixels < 1) throw bad_ora(fmt::format("more than {} pixels", limits_.all_pixels));
    const Image image = decode_image(as_bytes(file), options).take();
    pixels_ += image.width() * image.height();
    layer.pixels = rgba_pixels(image, file.at(kPngBitDepth) == 16 ? 16 : 8);
    bits_ = std::max(bits_, layer.pixels.bits());
    return layer;
  }

  void note(std::string text) {
    if (notes_.size() < kMaxNotes) notes_.push_back(std::move(text));
  }

  ZipReader& zip_;
  const OpenRasterLimits& limits_;
  std::vector<std::string> notes_;
  size_t count_ = 0;
  int64_t pixels_ = 0;
  int bits_ = 8;
};

OpenRasterPicture read_archive(ZipReader& zip, const OpenRasterLimits& limits) {
  const std::string mimetype = zip.read("mimetype").take();
  if (trim(mimetype) != "image/openraster") throw bad_ora("another mimetype");
  const std::string xml = zip.read("stack.xml").take();
  if (xml.size() > kMaxXml) throw bad_ora(fmt::format("a stack.xml of {} bytes", xml.size()));
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed)
    throw bad_ora(fmt::format("damaged XML at byte {}", parsed.offset)).with("why", parsed.description());
  const pugi::xml_node root = document.child("image");
  OpenRasterPicture result;
  LayeredPicture& picture = result.picture;
  picture.width = whole_number(root, "w", 0);
  picture.height = whole_number(root, "h", 0);
  if (auto error = check_size(picture.width, picture.height, 4, limits.layer)) throw *error;
  picture.dpi = static_cast<double>(std::clamp<int64_t>(whole_number(root, "xres", 72), 1, 29'999));

  StackReader stack(zip, limits);
  picture.layers = stack.read(root.child("stack"), 0);
  picture.bits = stack.bits();
  result.notes = stack.take_notes();
  check_layers(picture);
  return result;
}

}  // namespace

Result<OpenRasterPicture> decode_openraster(Bytes file, const OpenRasterLimits& limits) {
  Result<ZipReader> zip = ZipReader::open(file, limits.zip);
  if (!zip) return zip.error();
  try {
    return read_archive(*zip, limits);
  } catch (const Error& error) {
    // What the file made impossible is the file's fault, whoever noticed.
    if (error.code() != ErrorCode::usage) return error;
    Error bad(ErrorCode::bad_file, "cannot read the OpenRaster file");
    for (const auto& [field, value] : error.fields()) bad.with(field, value);
    return bad;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::no_memory, "cannot read the OpenRaster file");
  }
}

Result<OpenRasterPicture> read_openraster(const fs::path& path, const OpenRasterLimits& limits) {
  const Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  Result<OpenRasterPicture> picture = decode_openraster(file->bytes(), limits);
  if (picture) return picture;
  Error error = picture.error();
  error.with("file", path.string());
  return error;
}

}  // namespace maquette::media
