// Direct convolution as a product whose taps read shifted rows (an implicit im2col). A block is a run of
// output rows; the input rows that it needs are copied, with their padding, into a buffer that fits the
// second-level cache, one chunk of channels at a time. Three layouts of that buffer:
//   padded    [input rows][padded width][channels]            row tiles end
//   with the rows of the picture shifted   [kernel columns][input
//   rows][width][channels]   row tiles run on across the rows of a picture, for
//   cores
//                                                             that want full
//                                                             tiles; stride 1
//                                                             only
//   gathered  [output pixels][taps * channels]                for few channels:
//   one tap of taps * channels
// 1x1 convolutions without stride or padding are matrix products.
#include "kernels/conv.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/avx512/avx512.h"
#include "kernels/avx512/product.h"
#include "kernels/row_ops.h"

namespace maquette::kernels::avx512 {

namespace {

struct Packed : PackedConv {
  Packed(Panels made, bool gather) : panels(std::move(made)), gathered(gather) {}
  Tensor storage() const override { return panels.memory(); }

  Panels panels;
  bool gathered;
};

constexpr int64_t kFewChannels = 16;

bool is_product(const ConvProblem& p) {
  const ConvGeometry& g = p.geometry;
  return p.kernel_h == 1 && p.kernel_w == 1 && g.stride == 1 &&
         g.pad_top + g.pad_left + g.pad_bottom + g.pad_right == 0;
}

MatmulProblem as_product(const ConvProblem& p) {
  return {.rows = p.n * p.height * p.width,
          .in_features = p.in_channels,
          .out_features = p.out_channels,
          .type = p.type};
}

// [O, I, taps] -> [O, taps * I], the order of gathered rows
Tensor taps_first(const ConvProblem& p, const Tensor& w) {
  Tensor turned = Tensor::empty(w.shape());
  const int64_t taps = static_cast<int64_t>(p.kernel_h) * p.kernel_w;
  const float* from = w.data().data();
  float* to = turned.data().data();
  for (int64_t o = 0; o < p.out_channels; ++o) {
    for (int64_t i = 0; i < p.in_channels; ++i) {
      for (int64_t tap = 0; tap < taps; ++tap) to[(o * taps + tap) * p.in_channels + i] = *from++;
    }
  }
  return turned;
}

// One run of output rows of one image, and the input rows that it reads.
struct Segment {
  int64_t image;
  int64_t first;     // output row
  int64_t rows;      // output rows
  int64_t first_in;  // may lie above the picture
  int64_t rows_in;
};

class ConvRun {
 public:
  ConvRun(const ConvProblem& problem, const Panels& panels, bool gathered, const Tensor& x)
      : p_(problem),
        core_(*panels.layout().core),
        x_(static_cast<const char*>(x.raw())),
        gathered_(gathered),
        shifted_(!gathered && p_.geometry.stride == 1 && core_.row_step > 1 &&
                 p_.out_width() % core_.row_step != 0),
        taps_(static_cast<int64_t>(p_.kernel_h) * p_.kernel_w),
        rows_per_block_(choose_rows(panels.chunks().front())) {}

  int64_t blocks() const { return (p_.n * p_.out_height() + rows_per_block_ - 1) / rows_per_block_; }
  int64_t block_rows() const { return rows_per_block_ * p_.out_width(); }
  size_t scratch_bytes(const Chunk& widest) const {
    return static_cast<size_t>(bytes_for(rows_per_block_, images_per_block(), widest));
  }
  void view(int64_t block, const Chunk& chunk, char* scratch, BlockView& view) const;

 private:
  // Most images that a block touches; each adds its own edge rows.
  int64_t images_per_block() const { return std::min(p_.n, (rows_per_block_ - 1) / p_.out_height() + 2); }
  int64_t plane_rows() const {
    return rows_per_block_ + images_per_block() * (p_.kernel_h - 1);
  }  // shifted layout
  int64_t padded_width() const { return (p_.out_width() - 1) * p_.geometry.stride + p_.kernel_w; }
  int64_t pitch(const Chunk& chunk) const {
    const int64_t bytes = core_.row_bytes(chunk.depth);
    return bytes % 4096 == 0 ? bytes + 64 : bytes;  // neighbours must not share their cache sets
  }
  int64_t bytes_for(int64_t rows, int64_t segments, const Chunk& chunk) const;
  int64_t choose_rows(const Chunk& widest) const;
  void copy_pixels(const Segment& s, int64_t row_in, int64_t shift, int64_t width, const Chunk& chunk,
                   char* target) const;
  void fill_padded(const Segment& s, const Chunk& chunk, char* target) const;
  void fill_shifted(const Segment& s, const Chunk& chunk, char* target) const;
  void fill_gathered(const Segment& s, const Chunk& chunk, char* target) const;
  void add_tiles(const Segment& s, int64_t offset, int64_t block_row, const Chunk& chunk,
                 BlockView& view) const;

  const ConvProblem& p_;
  const Core& core_;
  const char* x_;
  bool gathered_;
  bool shifted_;
  int64_t taps_;
  int64_t rows_per_block_;
};

int64_t ConvRun::bytes_for(int64_t rows, int64_t segments, const Chunk& chunk) const {
  if (gathered_) return rows * p_.out_width() * pitch(chunk);
  const int64_t rows_in = rows * p_.geometry.stride + segments * (p_.kernel_h - 1);
  return rows_in * (shifted_ ? p_.kernel_w * p_.out_width() : padded_width()) * pitch(chunk);
}

int64_t ConvRun::choose_rows(const Chunk& widest) const {
  const int64_t all = p_.n * p_.out_height();
  int64_t rows = 1;
  while (rows < all && rows * p_.out_width() < 2048 && bytes_for(rows + 1, 1, widest) <= core_.block_bytes)
    ++rows;
  const int64_t blocks = (all + rows - 1) / rows;
  return (all + blocks - 1) / blocks;
}

// Copies `width` pixels of an input row, the first at column `shift` (which may be negative), zeros outside.
void ConvRun::copy_pixels(const Segment& s, int64_t row_in, int64_t shift, int64_t width, const Chunk& chunk,
                          char* target) const {
  const int64_t to = pitch(chunk);
  if (row_in < 0 || row_in >= p_.height) {
    std::memset(target, 0, static_cast<size_t>(width * to));
    return;
  }
  const int64_t begin = std::clamp<int64_t>(-shift, 0, width);
  const int64_t end = std::clamp<int64_t>(p_.width - shift, begin, width);
  std::memset(target, 0, static_cast<size_t>(begin * to));
  std::memset(target + end * to, 0, static_cast<size_t>((width - end) * to));
  const int64_t from = p_.in_channels * core_.element;
  const char* source =
      x_ + ((s.image * p_.height + row_in) * p_.width + shift + begin) * from + chunk.begin * core_.element;
  if (chunk.count * core_.element == from && from == to && core_.parts == 1) {
    std::memcpy(target + begin * to, source, static_cast<size_t>((end - begin) * to));
    return;
  }
  for (int64_t i = begin; i < end; ++i, source += from) {
    copy_row(core_, source, chunk.count, chunk.depth, target + i * to);
  }
}

void ConvRun::fill_padded(const Segment& s, const Chunk& chunk, char* target) const {
  const int64_t width = padded_width();
  for (int64_t r = 0; r < s.rows_in; ++r, target += width * pitch(chunk)) {
    copy_pixels(s, s.first_in + r, -p_.geometry.pad_left, width, chunk, target);
  }
}

void ConvRun::fill_shifted(const Segment& s, const Chunk& chunk, char* target) const {
  const int64_t row_bytes = p_.out_width() * pitch(chunk);
  for (int64_t kx = 0; kx < p_.kernel_w; ++kx) {
    for (int64_t r = 0; r < s.rows_in; ++r) {
      copy_pixels(s, s.first_in + r, kx - p_.geometry.pad_left, p_.out_width(), chunk,
                  target + (kx * plane_rows() + r) * row_bytes);
    }
  }
}

void ConvRun::fill_gathered(const Segment& s, const Chunk& chunk, char* target) const {
  const int64_t channel_bytes = p_.in_channels * core_.element;
  const int64_t used = taps_ * channel_bytes;
  for (int64_t y = 0; y < s.rows; ++y) {
    for (int64_t x = 0; x < p_.out_width(); ++x, target += pitch(chunk)) {
      char* to = target;
      for (int64_t ky = 0; ky < p_.kernel_h; ++ky) {
        const int64_t row_in = s.first_in + y * p_.geometry.stride + ky;
        for (int64_t kx = 0; kx < p_.kernel_w; ++kx, to += channel_bytes) {
          const int64_t column = x * p_.geometry.stride + kx - p_.geometry.pad_left;
          if (row_in >= 0 && row_in < p_.height && column >= 0 && column < p_.width) {
            std::memcpy(to, x_ + ((s.image * p_.height + row_in) * p_.width + column) * channel_bytes,
                        static_cast<size_t>(channel_bytes));
          } else {
            std::memset(to, 0, static_cast<size_t>(channel_bytes));
          }
        }
      }
      std::memset(to, 0, static_cast<size_t>(pitch(chunk) - used));
    }
  }
}

void ConvRun::add_tiles(const Segment& s, int64_t offset, int64_t block_row, const Chunk& chunk,
                        BlockView& view) const {
  const int64_t width = p_.out_width();
  const int64_t row = (s.image * p_.out_height() + s.first) * width;
  const auto add = [&](int64_t begin, int64_t count, int64_t a_offset) {
    cut_tiles(core_,
              {.a_offset = a_offset,
               .row = row + begin,
               .block_row = static_cast<int32_t>(block_row + begin),
               .rows = static_cast<int32_t>(count)},
              view.row_pitch, view.tiles);
  };
  if (gathered_ || shifted_) {
    add(0, s.rows * width, offset);
    return;
  }
  for (int64_t y = 0; y < s.rows; ++y) {
    add(y * width, width, offset + y * p_.geometry.stride * padded_width() * pitch(chunk));
  }
}

void ConvRun::view(int64_t block, const Chunk& chunk, char* scratch, BlockView& view) const {
  const int64_t begin = block * rows_per_block_;
  const int64_t end = std::min(begin + rows_per_block_, p_.n * p_.out_height());
  view.a = scratch;
  view.row_pitch = pitch(chunk) * (gathered_ ? 1 : p_.geometry.stride);

  // The images that the block touches follow each other in the buffer, each with edge rows of its own.
  int64_t offset = 0;
  for (int64_t at = begin; at < end;) {
    Segment s{
        .image = at / p_.out_height(), .first = at % p_.out_height(), .rows = 0, .first_in = 0, .rows_in = 0};
    s.rows = std::min(p_.out_height() - s.first, end - at);
    s.first_in = s.first * p_.geometry.stride - p_.geometry.pad_top;
    s.rows_in = (s.rows - 1) * p_.geometry.stride + p_.kernel_h;
    add_tiles(s, offset, (at - begin) * p_.out_width(), chunk, view);
    if (gathered_) {
      fill_gathered(s, chunk, scratch + offset);
      offset += s.rows * p_.out_width() * pitch(chunk);
    } else if (shifted_) {
      fill_shifted(s, chunk, scratch + offset);
      offset += s.rows_in * p_.out_width() * pitch(chunk);
    } else {
      fill_padded(s, chunk, scratch + offset);
      offset += s.rows_in * padded_width() * pitch(chunk);
    }
    at += s.rows;
  }

  if (gathered_) {
    view.tap_offset.push_back(0);
    return;
  }
  for (int64_t ky = 0; ky < p_.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < p_.kernel_w; ++kx) {
      const int64_t pixels = shifted_ ? (kx * plane_rows() + ky) * p_.out_width() : ky * padded_width() + kx;
      view.tap_offset.push_back(pixels * pitch(chunk));
    }
  }
}

}  // namespace

std::unique_ptr<PackedConv> pack_conv(const Core& core, const ConvProblem& p, const WeightRows& w,
                                      const Tensor& memory) {
  const int64_t taps = static_cast<int64_t>(p.kernel_h) * p.kernel_w;
  PanelLayout layout{.core = &core,
                     .columns = p.out_channels,
                     .channels = p.in_channels,
                     .taps = taps,
                     .chunk_limit = taps == 1 ? core.most_channels : core.most_channels / 2};
  const bool gathered = taps > 1 && p.in_channels <= kFewChannels;
  if (!gathered) return std::make_unique<Packed>(Panels(layout, w, memory), false);
  layout.channels = taps * p.in_channels;
  layout.taps = 1;
  layout.chunk_limit = layout.channels;
  return std::make_unique<Packed>(Panels(layout, taps_first(p, widen(w.whole())), memory), true);
}

void run_conv_to(Exec& ex, const ConvProblem& p, const PackedConv& form, const Tensor& x,
                 const Finish& finish, const Tensor* bias) {
  const auto& packed = static_cast<const Packed&>(form);
  const ConvRun conv(p, packed.panels, packed.gathered, x);
  run_product(ex, {.weights = &packed.panels,
                   .finish = finish,
                   .bias = bias,
                   .blocks = conv.blocks(),
                   .block_rows = conv.block_rows(),
                   .scratch_bytes = conv.scratch_bytes(packed.panels.chunks().front()),
                   .view = [&conv](int64_t block, const Chunk& chunk, char* scratch, BlockView& view) {
                     conv.view(block, chunk, scratch, view);
                   }});
}

void run_conv(Exec& ex, const ConvProblem& p, const PackedConv& form, const Tensor& x,
              const ConvEpilogue& epilogue, Tensor& out) {
  const Finish finish{.per_image = epilogue.per_image ? epilogue.per_image->data().data() : nullptr,
                      .residual = epilogue.residual ? epilogue.residual->raw() : nullptr,
                      .out = out.raw(),
                      .columns = p.out_channels,
                      .rows_per_image = p.out_height() * p.out_width(),
                      .activation = epilogue.activation};
  if (is_product(p)) {
    const auto& packed = static_cast<const Packed&>(form);
    run_rows(ex, as_product(p), packed.panels, x, finish, epilogue.bias);
    return;
  }
  run_conv_to(ex, p, form, x, finish, epilogue.bias);
}

}  // namespace maquette::kernels::avx512
