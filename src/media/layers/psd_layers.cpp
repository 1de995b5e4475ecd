// Adobe's specification, "Layer info", "Layer records", "Channel image data", and the additional layer
// information `luni` (name in Unicode), `lyid` (number) and `lsct` (section divider: groups).
//
// A group is a run of records: a divider of type 3 at its bottom, its layers, and a record of type 1 (open
// folder) with the group's name, opacity and mask.
#include "media/layers/psd_layers.h"

#include <cmath>

namespace maquette::media {

namespace {

enum class Divider : uint32_t { none = 0, open_folder = 1, bottom = 3 };
constexpr int16_t kAlphaId = -1;
constexpr int16_t kMaskId = -2;
constexpr uint8_t kHidden = 0x02;
constexpr uint8_t kHasBit4 = 0x08;      // written by every Photoshop since 5.0
constexpr uint8_t kNoOwnPixels = 0x10;  // dividers: their pixels do not show

struct Record {
  const Layer* layer = nullptr;
  Divider divider = Divider::none;
};

void list_records(const std::vector<Layer>& layers, std::vector<Record>& records) {
  for (const Layer& layer : layers) {
    if (layer.is_group) {
      records.push_back({&layer, Divider::bottom});
      list_records(layer.children, records);
      records.push_back({&layer, Divider::open_folder});
    } else {
      records.push_back({&layer, Divider::none});
    }
  }
}

// A channel's data with its compression in front, kept until all records are written.
struct Channel {
  int16_t id = 0;
  std::string data;
};

std::string encoded(const IntegerPixels& pixels, int c, bool large) {
  PsdBytes out(large);
  const std::string plane = channel_bytes(pixels, c);
  append_planes(out, std::span(&plane, 1), static_cast<size_t>(pixels.width() * pixels.bits() / 8));
  return out.take();
}

std::vector<Channel> channels_of(const Record& record, int bits, bool large) {
  std::vector<Channel> channels;
  if (record.divider == Divider::none) {
    const IntegerPixels pixels = with_bits(record.layer->pixels, bits);
    channels.push_back({kAlphaId, encoded(pixels, 3, large)});
    for (int c = 0; c < 3; ++c) channels.push_back({static_cast<int16_t>(c), encoded(pixels, c, large)});
  } else {
    // No pixels: the compression alone.
    for (int16_t c = kAlphaId; c < 3; ++c) channels.push_back({c, std::string(2, '\0')});
  }
  if (record.layer->mask && record.divider != Divider::bottom)
    channels.push_back({kMaskId, encoded(with_bits(record.layer->mask->pixels, bits), 0, large)});
  return channels;
}

void append_rectangle(PsdBytes& out, int64_t y, int64_t x, int64_t height, int64_t width) {
  for (const int64_t edge : {y, x, y + height, x + width}) out.i32(static_cast<int32_t>(edge));
}

void append_mask(PsdBytes& out, const Record& record) {
  out.block(PsdBytes::LengthField::four, 1, [&] {
    if (!record.layer->mask || record.divider == Divider::bottom) return;
    const LayerMask& mask = *record.layer->mask;
    append_rectangle(out, mask.y, mask.x, mask.pixels.height(), mask.pixels.width());
    out.u8(mask.shows_outside ? 255 : 0);
    out.u8(0);
    out.u16(0);
  });
}

void append_information(PsdBytes& out, std::string_view key, const std::function<void()>& fill) {
  out.text("8BIM");
  out.text(key);
  out.block(PsdBytes::LengthField::four, 4, fill);
}

void append_record(PsdBytes& out, const Record& record, std::span<const Channel> channels, uint32_t number) {
  const Layer& layer = *record.layer;
  const bool divider = record.divider != Divider::none;
  if (divider) {
    append_rectangle(out, 0, 0, 0, 0);
  } else {
    append_rectangle(out, layer.y, layer.x, layer.pixels.height(), layer.pixels.width());
  }
  out.u16(static_cast<uint16_t>(channels.size()));
  for (const Channel& channel : channels) {
    out.i16(channel.id);
    out.length(channel.data.size());
  }
  const bool bottom = record.divider == Divider::bottom;
  out.text("8BIM");
  out.text(photoshop_key(bottom ? BlendMode::normal : layer.blend));
  out.u8(bottom ? 255 : static_cast<uint8_t>(std::lround(layer.opacity * 255)));
  out.u8(0);  // clipping: base
  out.u8(static_cast<uint8_t>(kHasBit4 | (divider ? kNoOwnPixels : 0) |
                              (layer.visible || bottom ? 0 : kHidden)));
  out.u8(0);

  const std::string name = bottom ? "</Layer group>" : layer.name;
  out.block(PsdBytes::LengthField::four, 2, [&] {
    append_mask(out, record);
    out.u32(0);  // blending ranges: all
    out.pascal_text(name, 4);
    append_information(out, "luni", [&] { out.unicode_text(name); });
    append_information(out, "lyid", [&] { out.u32(number); });
    if (!divider) return;
    append_information(out, "lsct", [&] {
      out.u32(static_cast<uint32_t>(record.divider));
      out.text("8BIM");
      const BlendMode own = bottom ? BlendMode::normal : layer.blend;
      out.text(!bottom && passes_through(layer) ? "pass" : photoshop_key(own));
    });
  });
}

}  // namespace

void append_layer_info(PsdBytes& out, const LayeredPicture& picture, bool transparent) {
  std::vector<Record> records;
  list_records(picture.layers, records);
  const auto count = static_cast<int16_t>(records.size());
  out.i16(transparent ? static_cast<int16_t>(-count) : count);

  std::vector<std::vector<Channel>> channels;
  for (const Record& record : records) channels.push_back(channels_of(record, picture.bits, out.large()));
  for (size_t i = 0; i < records.size(); ++i)
    append_record(out, records[i], channels[i], static_cast<uint32_t>(i + 1));
  for (std::vector<Channel>& list : channels) {
    for (Channel& channel : list) out.text(channel.data);
    list.clear();
  }
}

}  // namespace maquette::media
