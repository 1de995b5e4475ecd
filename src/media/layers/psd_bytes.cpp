#include "media/layers/psd_bytes.h"

#include "media/bytes.h"
#include "media/unicode.h"

namespace maquette::media {

void PsdBytes::u16(uint16_t value) { append_number(out_, value, Endian::big); }
void PsdBytes::u32(uint32_t value) { append_number(out_, value, Endian::big); }

void PsdBytes::length(uint64_t value) {
  if (large_) {
    append_number(out_, value, Endian::big);
  } else {
    u32(static_cast<uint32_t>(value));
  }
}

void PsdBytes::block(LengthField field, size_t alignment, const std::function<void()>& fill) {
  const bool wide = field == LengthField::by_form && large_;
  const size_t at = out_.size();
  out_.append(wide ? 8 : 4, '\0');
  const size_t begin = out_.size();
  fill();
  while ((out_.size() - begin) % alignment != 0) out_ += '\0';
  std::string length;
  append_number(length, static_cast<uint64_t>(out_.size() - begin), Endian::big);
  out_.replace(at, wide ? 8 : 4, wide ? length : length.substr(4));
}

void PsdBytes::pascal_text(std::string_view utf8, size_t alignment) {
  std::string ascii;
  for (size_t at = 0; at < utf8.size() && ascii.size() < 255;) {
    const char32_t point = next_code_point(utf8, at);
    ascii += point >= 0x20 && point < 0x7f ? static_cast<char>(point) : '?';
  }
  u8(static_cast<uint8_t>(ascii.size()));
  text(ascii);
  for (size_t size = ascii.size() + 1; size % alignment != 0; ++size) u8(0);
}

void PsdBytes::unicode_text(std::string_view utf8) {
  const std::string utf16 = utf8_to_utf16(utf8, Endian::big);
  u32(static_cast<uint32_t>(utf16.size() / 2));
  text(utf16);
}

std::string channel_bytes(const IntegerPixels& pixels, int c) {
  std::string out;
  out.reserve(static_cast<size_t>(pixels.height() * pixels.width() * pixels.bits() / 8));
  for (int64_t y = 0; y < pixels.height(); ++y) {
    for (int64_t x = 0; x < pixels.width(); ++x) {
      const uint16_t value = pixels.at(y, x, c);
      if (pixels.bits() == 16) out += static_cast<char>(value >> 8);
      out += static_cast<char>(value & 0xff);
    }
  }
  return out;
}

std::string pack_bits(std::string_view row) {
  constexpr size_t kMost = 128;
  std::string out;
  size_t literal = 0;  // where the stretch of unpacked bytes began
  const auto flush = [&](size_t end) {
    for (; literal < end;) {
      const size_t count = std::min(kMost, end - literal);
      out += static_cast<char>(count - 1);
      out += row.substr(literal, count);
      literal += count;
    }
  };
  for (size_t at = 0; at < row.size();) {
    size_t run = 1;
    while (run < kMost && at + run < row.size() && row[at + run] == row[at]) ++run;
    // A run of two inside literals would save nothing.
    if (run >= 3) {
      flush(at);
      out += static_cast<char>(257 - run);
      out += row[at];
      literal = at + run;
    }
    at += run;
  }
  flush(row.size());
  return out;
}

void append_planes(PsdBytes& out, std::span<const std::string> planes, size_t row_bytes) {
  PsdBytes counts(out.large());
  std::string packed;
  size_t raw = 0;
  for (const std::string& plane : planes) {
    raw += plane.size();
    for (size_t at = 0; at < plane.size(); at += row_bytes) {
      const std::string row = pack_bits(std::string_view(plane).substr(at, row_bytes));
      if (out.large()) {
        counts.u32(static_cast<uint32_t>(row.size()));
      } else {
        counts.u16(static_cast<uint16_t>(row.size()));
      }
      packed += row;
    }
  }
  const bool rle = counts.size() + packed.size() < raw;
  out.u16(rle ? 1 : 0);
  if (rle) {
    out.text(counts.take());
    out.text(packed);
  } else {
    for (const std::string& plane : planes) out.text(plane);
  }
}

}  // namespace maquette::media
