#include "base/deflate.h"

#include <algorithm>
#include <array>
#include <zlib.h>

namespace maquette {

namespace {

// One zlib stream over the packed bytes, which it hands over in pieces: zlib counts in 32 bits.
class Inflater {
 public:
  Inflater(std::span<const std::byte> packed, DeflateForm form) : left_(packed) {
    started_ = inflateInit2(&stream_, form == DeflateForm::raw ? -MAX_WBITS : MAX_WBITS) == Z_OK;
  }
  ~Inflater() {
    if (started_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills as much of `out` as there is; how much it was.
  size_t read(std::span<std::byte> out) {
    size_t done = 0;
    while (!ended_ && !damaged() && done < out.size()) done += step(out.subspan(done));
    return done;
  }
  bool ended() const { return ended_; }  // the data came to its own end
  bool damaged() const { return damaged_ || !started_; }

 private:
  size_t step(std::span<std::byte> out) {
    constexpr size_t kPiece = size_t{1} << 30;
    const auto give = static_cast<uInt>(std::min(left_.size(), kPiece));
    const auto room = static_cast<uInt>(std::min(out.size(), kPiece));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left_.data()));
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_in = give;
    stream_.avail_out = room;
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    left_ = left_.subspan(give - stream_.avail_in);
    ended_ = status == Z_STREAM_END;
    // Z_BUF_ERROR: no progress although there was room, so that the data ends too early.
    damaged_ = !ended_ && status != Z_OK;
    return room - stream_.avail_out;
  }

  std::span<const std::byte> left_;
  z_stream stream_{};
  bool started_ = false;
  bool ended_ = false;
  bool damaged_ = false;
};

Error damaged_data() { return {ErrorCode::bad_file, "damaged data"}; }

}  // namespace

Result<std::vector<std::byte>> inflate(std::span<const std::byte> packed, DeflateForm form, uint64_t limit) {
  Inflater inflater(packed, form);
  std::vector<std::byte> out;
  std::array<std::byte, 16384> block;
  while (!inflater.ended() && !inflater.damaged() && out.size() <= limit) {
    const size_t count = inflater.read(block);
    out.insert(out.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (out.size() > limit) return Error(ErrorCode::bad_file, "more than {} bytes", limit);
  if (!inflater.ended()) return damaged_data();
  return out;
}

Result<size_t> inflate_into(std::span<const std::byte> packed, DeflateForm form, std::span<std::byte> out) {
  Inflater inflater(packed, form);
  const size_t count = inflater.read(out);
  // The end may come as a step of its own, after the last byte.
  std::array<std::byte, 1> beyond;
  const size_t more = inflater.ended() ? 0 : inflater.read(beyond);
  if (count != out.size() || more != 0 || !inflater.ended()) return damaged_data();
  return count;
}

uint32_t crc32(std::span<const std::byte> bytes, uint32_t so_far) {
  if (bytes.empty()) return so_far;
  return static_cast<uint32_t>(crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace maquette
