// Attention for one block of queries, with a running maximum and sum per row (Milakov & Gimelshein 2018): for
// each block of keys the scores are computed, turned into weights 2^(score - maximum), and multiplied by the
// values; when the maximum grows, the sums so far are scaled down. Included by one file per element type.
#pragma once

#include <cstring>

#include "kernels/avx512/attention_core.h"
#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr float kLog2E = 1.44269504f;

struct Product {
  const char* a;  // [rows][a_pitch bytes]
  int64_t a_pitch;
  const char* b;  // [steps][kVectors * 64 bytes]
  int64_t steps;
  float* sums;  // [rows][sums_pitch]
  int64_t sums_pitch;
  bool accumulate;
};

// Products: struct with
//   static constexpr int64_t kQueryBlock     most rows of a block of queries
//   static constexpr int64_t kRowMultiple    rows are padded to this
//   static void scores(const Product& p, int64_t rows)                    32 columns
//   static void values(const Product& p, int64_t rows, int64_t vectors)   16 vectors columns

// What a thread works in, carved out of one scratch array.
template <typename Element, typename Products>
struct Workspace {
  float* scores;   // [kQueryBlock][kKeyBlock]
  float* sums;     // [kQueryBlock][out_pitch]
  float* maximum;  // [kQueryBlock]
  float* total;    // [kQueryBlock]
  char* q;         // [kQueryBlock][q_pitch bytes]
  int64_t q_pitch;
  char* weights;  // [kQueryBlock][weights_pitch bytes]
  int64_t weights_pitch;

  Workspace(const HeadLayout& layout, float* scratch) {
    constexpr int64_t kQueryBlock = Products::kQueryBlock;
    scores = scratch;
    sums = scores + kQueryBlock * kKeyBlock;
    maximum = sums + kQueryBlock * layout.out_pitch();
    total = maximum + kQueryBlock;
    q_pitch = layout.depth_steps * 4;
    q = reinterpret_cast<char*>(total + kQueryBlock);
    weights_pitch = kKeyBlock * Element::kBytes + 64;  // rows must not share their cache sets
    weights = q + (kQueryBlock * q_pitch + 63) / 64 * 64;
  }
};

// Scores of one row become weights; returns the factor by which earlier sums shrink. `visible` keys count,
// the weights after them up to `width` are zero.
template <typename Element, bool kMasked>
MAQUETTE_INLINE float weigh_row(float* scores, int64_t visible, int64_t width, const float* bias,
                                float factor, float& maximum, float& total, char* weights) {
  const __m512 low = _mm512_set1_ps(-__builtin_inff());
  const __m512 scale = _mm512_set1_ps(factor);
  __m512 largest = low;
  for (int64_t j = 0; j < visible; j += 16) {
    const __mmask16 mask = visible - j >= 16 ? 0xffff : static_cast<__mmask16>((1u << (visible - j)) - 1);
    __m512 s = _mm512_mul_ps(_mm512_loadu_ps(scores + j), scale);
    if (kMasked && bias)
      s = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, bias + j), _mm512_set1_ps(kLog2E), s);
    if (kMasked && bias) _mm512_storeu_ps(scores + j, s);
    largest = _mm512_mask_max_ps(largest, mask, largest, s);
  }
  const float before = maximum;
  const float after = __builtin_fmaxf(before, _mm512_reduce_max_ps(largest));
  maximum = after;
  // A row that has seen nothing yet but hidden keys keeps a maximum of -inf; its weights are zero.
  const __m512 shift = _mm512_set1_ps(after == -__builtin_inff() ? 0.0f : after);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t j = 0; j < width; j += 16) {
    const int64_t left = visible - j;
    const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : static_cast<__mmask16>((1u << left) - 1);
    const __m512 s = _mm512_loadu_ps(scores + j);
    __m512 x = kMasked && bias ? _mm512_sub_ps(s, shift) : _mm512_fmsub_ps(s, scale, shift);
    __mmask16 seen = mask;
    if (kMasked) {
      seen = _mm512_mask_cmp_ps_mask(mask, x, _mm512_set1_ps(-126.0f), _CMP_GT_OQ);
      x = _mm512_max_ps(x, _mm512_set1_ps(-126.0f));
    }
    const __m512 weight = _mm512_maskz_mov_ps(seen, Element::exp2(x));
    sum = _mm512_add_ps(sum, weight);
    Element::store(weights, j, 0xffff, weight);
  }
  if (before == after) {
    total += _mm512_reduce_add_ps(sum);
    return 1;
  }
  const float shrink =
      before == -__builtin_inff() ? 0.0f : _mm512_cvtss_f32(exp2(_mm512_set1_ps(before - after)));
  total = total * shrink + _mm512_reduce_add_ps(sum);
  return shrink;
}

template <typename Element, typename Products, bool kMasked>
void weigh(const HeadLayout& layout, const QueryBlock& block, Workspace<Element, Products>& work,
           int64_t first_key, int64_t width) {
  const int64_t pitch = layout.out_pitch();
  for (int64_t row = 0; row < block.rows; ++row) {
    int64_t visible = layout.keys - first_key < width ? layout.keys - first_key : width;
    if (kMasked && block.causal) {
      const int64_t seen = block.first_token + row + 1 - first_key;
      visible = seen < 0 ? 0 : seen < visible ? seen : visible;
    }
    const float* bias = kMasked && block.bias ? block.bias + row * layout.keys + first_key : nullptr;
    const float shrink = weigh_row<Element, kMasked>(work.scores + row * kKeyBlock, visible, width, bias,
                                                     block.factor, work.maximum[row], work.total[row],
                                                     work.weights + row * work.weights_pitch);
    if (shrink == 1 || first_key == 0) continue;
    float* sums = work.sums + row * pitch;
    const __m512 factor = _mm512_set1_ps(shrink);
    for (int64_t i = 0; i < pitch; i += 16)
      _mm512_storeu_ps(sums + i, _mm512_mul_ps(_mm512_loadu_ps(sums + i), factor));
  }
}

template <typename Element, typename Products>
void copy_queries(const HeadLayout& layout, const QueryBlock& block, Workspace<Element, Products>& work) {
  const auto* q = static_cast<const char*>(block.q);
  for (int64_t row = 0; row < block.rows; ++row) {
    char* target = work.q + row * work.q_pitch;
    std::memcpy(target, q + row * block.q_stride * Element::kBytes,
                static_cast<size_t>(layout.head_size * Element::kBytes));
    const int64_t used = layout.head_size * Element::kBytes;
    std::memset(target + used, 0, static_cast<size_t>(work.q_pitch - used));
  }
}

template <typename Element, typename Products>
void write_out(const HeadLayout& layout, const QueryBlock& block, const Workspace<Element, Products>& work) {
  for (int64_t row = 0; row < block.rows; ++row) {
    const float total = work.total[row];
    const __m512 factor = _mm512_set1_ps(total > 0 ? 1 / total : 0.0f);
    for (int64_t i = 0; i < layout.head_size; i += 16) {
      const int64_t left = layout.head_size - i;
      const __mmask16 mask = left >= 16 ? 0xffff : static_cast<__mmask16>((1u << left) - 1);
      const __m512 value = _mm512_mul_ps(_mm512_loadu_ps(work.sums + row * layout.out_pitch() + i), factor);
      Element::store(block.out, row * block.out_stride + i, mask, value);
    }
  }
}

template <typename Element, typename Products>
void run_block(const HeadLayout& layout, const QueryBlock& block) {
  Workspace<Element, Products> work(layout, block.scratch);
  copy_queries<Element, Products>(layout, block, work);
  for (int64_t row = 0; row < block.rows; ++row) {
    work.maximum[row] = -__builtin_inff();
    work.total[row] = 0;
  }
  const int64_t rows =
      (block.rows + Products::kRowMultiple - 1) / Products::kRowMultiple * Products::kRowMultiple;
  const int64_t panel_bytes = layout.depth_steps * kKeyPanel * 4;
  const int64_t value_row = layout.value_vectors * 64;
  int64_t keys = layout.key_panels * kKeyPanel;
  if (block.causal && block.first_token + block.rows < keys) {
    keys =
        (block.first_token + block.rows + kKeyPanel - 1) / kKeyPanel * kKeyPanel;  // later ones are not seen
  }
  for (int64_t first = 0; first < keys; first += kKeyBlock) {
    const int64_t width = keys - first < kKeyBlock ? keys - first : kKeyBlock;

    // Scores of this block of keys.
    for (int64_t key = 0; key < width; key += kKeyPanel) {
      Products::scores({.a = work.q,
                        .a_pitch = work.q_pitch,
                        .b = static_cast<const char*>(block.keys) + (first + key) / kKeyPanel * panel_bytes,
                        .steps = layout.depth_steps,
                        .sums = work.scores + key,
                        .sums_pitch = kKeyBlock,
                        .accumulate = false},
                       rows);
    }

    if (block.bias || block.causal) {
      weigh<Element, Products, true>(layout, block, work, first, width);
    } else {
      weigh<Element, Products, false>(layout, block, work, first, width);
    }

    // The weighted values.
    const int64_t steps = width / layout.step_elements;
    for (int64_t panel = 0; panel < layout.value_panels; ++panel) {
      const int64_t step = panel * layout.key_steps + first / layout.step_elements;
      Products::values({.a = work.weights,
                        .a_pitch = work.weights_pitch,
                        .b = static_cast<const char*>(block.values) + step * value_row,
                        .steps = steps,
                        .sums = work.sums + panel * layout.value_vectors * 16,
                        .sums_pitch = layout.out_pitch(),
                        .accumulate = first > 0},
                       rows, layout.value_vectors);
    }
  }
  write_out<Element, Products>(layout, block, work);
}

template <typename Element>
void pack_keys(const HeadLayout& layout, const void* k, int64_t stride, void* packed) {
  using T = typename Element::Bits;
  const auto* from = static_cast<const T*>(k);
  auto* to = static_cast<T*>(packed);
  const int64_t pair = layout.step_elements;
  for (int64_t panel = 0; panel < layout.key_panels; ++panel, to += layout.depth_steps * kKeyPanel * pair) {
    for (int64_t key = 0; key < kKeyPanel; ++key) {
      const int64_t token = panel * kKeyPanel + key;
      for (int64_t i = 0; i < layout.depth_steps * pair; ++i) {
        const bool real = token < layout.keys && i < layout.head_size;
        to[(i / pair * kKeyPanel + key) * pair + i % pair] = real ? from[token * stride + i] : T{0};
      }
    }
  }
}

template <typename Element>
void pack_values(const HeadLayout& layout, const void* v, int64_t stride, void* packed) {
  using T = typename Element::Bits;
  const auto* from = static_cast<const T*>(v);
  auto* to = static_cast<T*>(packed);
  const int64_t pair = layout.step_elements;
  const int64_t width = layout.value_vectors * 16;
  for (int64_t panel = 0; panel < layout.value_panels; ++panel) {
    for (int64_t step = 0; step < layout.key_steps; ++step, to += width * pair) {
      for (int64_t p = 0; p < pair; ++p) {
        const int64_t token = step * pair + p;
        for (int64_t i = 0; i < width; ++i) {
          const int64_t column = panel * width + i;
          const bool real = token < layout.keys && column < layout.head_size;
          to[i * pair + p] = real ? from[token * stride + column] : T{0};
        }
      }
    }
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
