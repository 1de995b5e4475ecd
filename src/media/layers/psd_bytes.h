// The numbers, lengths and compressed rows that Photoshop files are made of (big-endian throughout).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "media/layers/integer_pixels.h"

namespace maquette::media {

// Appends to a file in the making. PSB has 8-byte lengths where PSD has 4-byte ones.
class PsdBytes {
 public:
  explicit PsdBytes(bool large) : large_(large) {}

  bool large() const { return large_; }
  void text(std::string_view bytes) { out_ += bytes; }
  void u8(uint8_t value) { out_ += static_cast<char>(value); }
  void u16(uint16_t value);
  void u32(uint32_t value);
  void i16(int16_t value) { u16(static_cast<uint16_t>(value)); }
  void i32(int32_t value) { u32(static_cast<uint32_t>(value)); }
  void length(uint64_t value);  // as wide as the form wants it

  // A length, then what `fill` writes, zero bytes up to a multiple of `alignment` counted in.
  enum class LengthField { four, by_form };
  void block(LengthField field, size_t alignment, const std::function<void()>& fill);

  // One byte of length, the bytes (at most 255, ASCII for those who cannot read Unicode), zeros up to a
  // multiple.
  void pascal_text(std::string_view utf8, size_t alignment);
  // Four bytes of length in UTF-16 units, then UTF-16.
  void unicode_text(std::string_view utf8);

  size_t size() const { return out_.size(); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  bool large_;
};

// One channel as rows of big-endian bytes; c counts as in IntegerPixels.
std::string channel_bytes(const IntegerPixels& pixels, int c);

// PackBits (TIFF 6.0, section 9): runs of equal bytes and literal stretches.
std::string pack_bits(std::string_view row);

// Compression 0 (raw) or 1 (RLE: byte counts of all rows, then the rows), whichever is smaller, for planes
// that follow each other with one compression for all.
void append_planes(PsdBytes& out, std::span<const std::string> planes, size_t row_bytes);

}  // namespace maquette::media
