// For tests: reads the .npy arrays of tests/golden/media (format version 1, C order; u1, <i4 or <f4).
#pragma once

#include <cstring>
#include <gtest/gtest.h>
#include <string>

#include "base/file.h"
#include "media/bytes.h"
#include "media/image.h"

namespace maquette::media {

inline fs::path golden_path(const std::string& name) {
  return fs::path(MAQUETTE_SOURCE_DIR) / "tests/golden/media" / name;
}

// Element type u8, i32 or f32 as in the file.
inline Tensor read_golden(const std::string& name) {
  const std::string file = read_text_file(golden_path(name + ".npy")).take();
  const auto header_size = read_number<uint16_t>(as_bytes(file), 8, Endian::little).value();
  const std::string header = file.substr(10, header_size);
  const DType type = header.find("|u1") != std::string::npos   ? DType::u8
                     : header.find("<i4") != std::string::npos ? DType::i32
                     : header.find("<f4") != std::string::npos ? DType::f32
                                                               : DType::f64;
  if (type == DType::f64) throw Error(ErrorCode::bad_file, "unknown element type in {}.npy", name);
  std::vector<int64_t> sizes;
  const size_t open = header.find('(');
  std::string shape = header.substr(open + 1, header.find(')') - open - 1);
  for (char* at = shape.data(); *at != '\0';) {
    char* end = at;
    const long long size = std::strtoll(at, &end, 10);
    if (end != at) sizes.push_back(size);
    at = end == at ? at + 1 : end;
  }
  Tensor tensor = Tensor::empty(Shape(sizes), type);
  if (file.size() - 10 - header_size != tensor.bytes())
    throw Error(ErrorCode::bad_file, "wrong size of {}.npy", name);
  std::memcpy(tensor.raw(), file.data() + 10 + header_size, tensor.bytes());
  return tensor;
}

inline Image8 golden_image8(const std::string& name) {
  const Tensor t = read_golden(name);
  return Image8(t.rank() == 2 ? t.reshape({t.size(0), t.size(1), 1}) : t);
}

inline Image golden_image(const std::string& name) {
  const Tensor t = read_golden(name).to(DType::f32);
  return Image(t.rank() == 2 ? t.reshape({t.size(0), t.size(1), 1}) : t);
}

// Largest difference of two pictures of one size, in 8-bit levels.
inline int level_difference(const Image8& a, const Image8& b) {
  EXPECT_EQ(a.pixels.shape().text(), b.pixels.shape().text());
  if (!(a.pixels.shape() == b.pixels.shape())) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.data().size(); ++i)
    largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
  return largest;
}

}  // namespace maquette::media
