#include "tensor/shape.h"

#include <algorithm>

#include "base/error.h"

namespace maquette {

Shape::Shape(std::span<const int64_t> sizes) {
  if (sizes.size() > kMaxRank) {
    throw Error(ErrorCode::bad_file, "cannot hold a tensor of {} dimensions", sizes.size())
        .with("expected", "at most 6");
  }
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  rank_ = static_cast<int>(sizes.size());
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (const int64_t size : sizes()) product *= size;
  return product;
}

bool Shape::operator==(const Shape& other) const { return std::ranges::equal(sizes(), other.sizes()); }

std::string Shape::text() const { return fmt::format("[{}]", fmt::join(sizes(), ", ")); }

}  // namespace maquette
