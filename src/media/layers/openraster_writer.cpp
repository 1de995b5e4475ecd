// openraster.org, "File layout" and "Layer stack":
//   mimetype (first, stored), stack.xml, data/*.png, mergedimage.png, Thumbnails/thumbnail.png (at most 256 x
//   256)
// In stack.xml the first child of a stack is its topmost layer.
#include "media/image_io.h"
#include "media/layers/openraster.h"
#include "media/resize.h"

namespace maquette::media {

namespace {

constexpr int64_t kThumbnailSide = 256;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        // XML 1.0 has no way to write the other control characters.
        if (static_cast<unsigned char>(c) >= 0x20) {
          out += c;
        } else {
          out += c == '\t' || c == '\n' || c == '\r' ? fmt::format("&#{};", static_cast<int>(c)) : "?";
        }
    }
  }
  return out;
}

std::string png_of(const IntegerPixels& pixels, const WriteOptions& options = {}) {
  WriteOptions with_bits = options;
  with_bits.bits = pixels.bits();
  return encode_image(to_image(pixels), ImageFormat::png, with_bits);
}

// Grey, opaque: how a mask is kept in a format without masks.
IntegerPixels picture_of_mask(const IntegerPixels& mask) { return rgba_pixels(to_image(mask), mask.bits()); }

// A hidden layer of the mask's pixels.
Layer hidden_mask(const Layer& layer) {
  return {.name = layer.name + " (mask)",
          .x = layer.mask->x,
          .y = layer.mask->y,
          .pixels = picture_of_mask(layer.mask->pixels),
          .visible = false};
}

Layer without_mask(const Layer& layer) {
  Layer original = layer;
  original.name += " (without mask)";
  original.visible = false;
  original.mask.reset();
  return original;
}

// The group as one picture of the canvas, with its mask applied.
Layer merged_group(const Layer& group, const LayeredPicture& canvas) {
  LayeredPicture alone{.width = canvas.width, .height = canvas.height, .bits = canvas.bits};
  alone.layers = group.children;
  Layer merged = group;
  merged.is_group = false;
  merged.children.clear();
  merged.x = merged.y = 0;
  merged.pixels = composite(alone);
  merged.pixels = masked_pixels(merged);
  merged.mask.reset();
  return merged;
}

class StackWriter {
 public:
  explicit StackWriter(const LayeredPicture& picture) : picture_(picture) {}

  void write(const std::vector<Layer>& layers) {
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      if (layer->mask) {
        Layer applied = layer->is_group ? merged_group(*layer, picture_) : *layer;
        applied.pixels = masked_pixels(applied);
        write_layer(applied);
        write_one(without_mask(*layer));
        write_layer(hidden_mask(*layer));
      } else {
        write_one(*layer);
      }
    }
  }
  std::string xml() const {
    const int dpi = static_cast<int>(picture_.dpi + 0.5);
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<image version=\"0.0.3\" w=\"{}\" h=\"{}\" xres=\"{}\" "
        "yres=\"{}\">\n<stack>\n{}</stack>\n</image>\n",
        picture_.width, picture_.height, dpi, dpi, xml_);
  }
  std::vector<ZipEntry> take_entries() { return std::move(entries_); }

 private:
  void write_one(const Layer& layer) {
    if (!layer.is_group) return write_layer(layer);
    xml_ += fmt::format("<stack {} isolation=\"{}\">\n", attributes(layer),
                        passes_through(layer) ? "auto" : "isolate");
    write(layer.children);
    xml_ += "</stack>\n";
  }
  void write_layer(const Layer& layer) {
    const std::string file = fmt::format("data/layer{:04}.png", entries_.size());
    entries_.push_back({.name = file, .bytes = png_of(layer.pixels), .compressed = false});
    xml_ +=
        fmt::format("<layer src=\"{}\" {} x=\"{}\" y=\"{}\"/>\n", file, attributes(layer), layer.x, layer.y);
  }
  static std::string attributes(const Layer& layer) {
    return fmt::format("name=\"{}\" opacity=\"{:.6g}\" visibility=\"{}\" composite-op=\"{}\"",
                       escaped(layer.name), layer.opacity, layer.visible ? "visible" : "hidden",
                       openraster_name(layer.blend));
  }

  const LayeredPicture& picture_;
  std::string xml_;
  std::vector<ZipEntry> entries_;
};

Image8 reduced(const Image& picture) {
  const Image8 image = to_8bit(picture);
  const int64_t longest = std::max(image.width(), image.height());
  if (longest <= kThumbnailSide) return image;
  const auto side = [&](int64_t length) { return std::max<int64_t>(1, length * kThumbnailSide / longest); };
  return resize(image, side(image.height()), side(image.width()), Filter::box);
}

}  // namespace

std::string encode_openraster(const LayeredPicture& picture, const PictureMetadata& metadata) {
  const IntegerPixels merged = composite(picture);
  StackWriter stack(picture);
  stack.write(picture.layers);

  std::vector<ZipEntry> entries;
  entries.push_back({.name = "mimetype", .bytes = "image/openraster", .compressed = false});
  entries.push_back({.name = "stack.xml", .bytes = stack.xml()});
  for (ZipEntry& entry : stack.take_entries()) entries.push_back(std::move(entry));
  const WriteOptions options{.dpi = picture.dpi, .metadata = metadata};
  entries.push_back({.name = "mergedimage.png", .bytes = png_of(merged, options), .compressed = false});
  const Image8 small = reduced(to_image(merged));
  entries.push_back({.name = "Thumbnails/thumbnail.png",
                     .bytes = encode_image(to_float(small), ImageFormat::png),
                     .compressed = false});
  return write_zip(entries);
}

void write_openraster(const fs::path& path, const LayeredPicture& picture, const PictureMetadata& metadata) {
  write_file_atomically(path, encode_openraster(picture, metadata));
}

}  // namespace maquette::media
