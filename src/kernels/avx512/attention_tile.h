// Attention for one block of queries, with a running maximum and sum per row (Milakov & Gimelshein 2018): for
// each block of keys the scores are computed, turned into weights 2^(score - maximum), and multiplied by the
// values; when the maximum grows, the sums so far are scaled down. Where the lengths of queries and keys
// prove that no score can leave the range of the exponents (Cauchy-Schwarz: |q k| <= |q| |k|), the maximum is
// left out: 2^score cannot overflow nor vanish, and dividing by the sum gives the same softmax. Included by
// one file per element type.
#pragma once

#include <cstring>

#include "kernels/avx512/attention_core.h"
#include "kernels/avx512/attention_rows.h"

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
//   static void scores(const Product& p, int64_t rows)                    32
//   columns static void values(const Product& p, int64_t rows, int64_t vectors)
//   16 vectors columns

template <typename Element, typename Products>
HeadLayout make_layout(int64_t head_size, int64_t keys) {
  constexpr int64_t kStep = 4 / Element::kBytes;  // elements
  HeadLayout layout{.head_size = head_size, .keys = keys, .step_elements = kStep};
  layout.depth_steps = (head_size + kStep - 1) / kStep;
  layout.key_panels = (keys + kKeyPanel - 1) / kKeyPanel;
  layout.key_steps = layout.key_panels * kKeyPanel / kStep;
  // The widest panel among those that waste least.
  const int64_t vectors = (head_size + 15) / 16;
  int64_t least = vectors + kMaxValueVectors;
  for (int64_t width = vectors < kMaxValueVectors ? vectors : kMaxValueVectors; width >= 1; --width) {
    const int64_t panels = (vectors + width - 1) / width;
    if (panels * width >= least) continue;
    least = panels * width;
    layout.value_panels = panels;
    layout.value_vectors = width;
  }
  layout.key_bytes = layout.key_panels * layout.depth_steps * kKeyPanel * 4;
  layout.value_bytes = layout.value_panels * layout.key_steps * layout.value_vectors * 64;
  layout.scratch_bytes =
      256 + 4 * Products::kQueryBlock *
                (kScorePitch + layout.out_pitch() + 18 + layout.depth_steps + kKeyBlock + 16);
  return layout;
}

// What a thread works in, carved out of one scratch array.
template <typename Element, typename Products>
struct Workspace {
  float* scores;   // [kQueryBlock][kScorePitch]
  float* sums;     // [kQueryBlock][out_pitch]
  float* maximum;  // [kQueryBlock], of the scores so far
  float* shrink;   // [kQueryBlock], by which what was summed before the last
                   // block of keys shrinks
  float* total;    // [kQueryBlock][16], sums of the weights so far, not yet added
                   // across
  char* q;         // [kQueryBlock][q_pitch bytes]
  int64_t q_pitch;
  char* weights;  // [kQueryBlock][weights_pitch bytes]
  int64_t weights_pitch;

  Workspace(const HeadLayout& layout, float* scratch) {
    constexpr int64_t kQueryBlock = Products::kQueryBlock;
    scores = scratch;
    sums = scores + kQueryBlock * kScorePitch;
    maximum = sums + kQueryBlock * layout.out_pitch();
    shrink = maximum + kQueryBlock;
    total = shrink + kQueryBlock;
    q_pitch = layout.depth_steps * 4;
    q = reinterpret_cast<char*>(total + kQueryBlock * 16);
    weights_pitch = kKeyBlock * Element::kBytes + 64;  // rows must not share their cache sets
    weights = q + (kQueryBlock * q_pitch + 63) / 64 * 64;
  }
};

// The largest of the first `count` scores. Four maxima at a time: one alone would wait for itself.
MAQUETTE_INLINE float largest_of(const float* scores, int64_t count) {
  __m512 largest[4];
  for (__m512& l : largest) l = _mm512_set1_ps(-__builtin_inff());
  int64_t j = 0;
  for (; j + 64 <= count; j += 64) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) largest[i] = _mm512_max_ps(largest[i], _mm512_loadu_ps(scores + j + 16 * i));
  }
  for (; j < count; j += 16) {
    const __mmask16 mask = count - j >= 16 ? 0xffff : static_cast<__mmask16>((1u << (count - j)) - 1);
    largest[0] = _mm512_mask_max_ps(largest[0], mask, largest[0], _mm512_loadu_ps(scores + j));
  }
  return _mm512_reduce_max_ps(
      _mm512_max_ps(_mm512_max_ps(largest[0], largest[1]), _mm512_max_ps(largest[2], largest[3])));
}

// weights = 2^(factor scores - shift) for the first `visible` columns, zero up to `width`; returns their
// sums, not yet added across.
template <typename Element>
MAQUETTE_INLINE __m512 weigh_columns(const float* scores, int64_t visible, int64_t width, float factor,
                                     float shift, char* weights) {
  const __m512 scale = _mm512_set1_ps(factor);
  const __m512 down = _mm512_set1_ps(shift);
  __m512 sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  int64_t j = 0;
  for (; j + 32 <= visible; j += 32) {
    const __m512 left = Element::exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores + j), scale, down));
    const __m512 right = Element::exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores + j + 16), scale, down));
    sum[0] = _mm512_add_ps(sum[0], left);
    sum[1] = _mm512_add_ps(sum[1], right);
    Element::store_pair(weights, j, left, right);
  }
  for (; j < width; j += 16) {
    const int64_t left = visible - j;
    const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : static_cast<__mmask16>((1u << left) - 1);
    const __m512 x = _mm512_fmsub_ps(_mm512_loadu_ps(scores + j), scale, down);
    const __m512 weight = _mm512_maskz_mov_ps(mask, Element::exp2(x));
    sum[0] = _mm512_add_ps(sum[0], weight);
    Element::store(weights, j, 0xffff, weight);
  }
  return _mm512_add_ps(sum[0], sum[1]);
}

// scores = factor scores + bias / ln 2
MAQUETTE_INLINE void add_bias(float* scores, int64_t count, float factor, const float* bias) {
  for (int64_t j = 0; j < count; j += 16) {
    const __mmask16 mask = count - j >= 16 ? 0xffff : static_cast<__mmask16>((1u << (count - j)) - 1);
    const __m512 s = _mm512_mul_ps(_mm512_loadu_ps(scores + j), _mm512_set1_ps(factor));
    const __m512 b = _mm512_maskz_loadu_ps(mask, bias + j);
    _mm512_storeu_ps(scores + j, _mm512_fmadd_ps(b, _mm512_set1_ps(kLog2E), s));
  }
}

// How many of the keys [first_key, first_key + width) a row sees.
MAQUETTE_INLINE int64_t visible_keys(const HeadLayout& layout, const QueryBlock& block, int64_t row,
                                     int64_t first_key, int64_t width) {
  const int64_t keys = layout.keys - first_key < width ? layout.keys - first_key : width;
  if (!block.causal) return keys;
  const int64_t seen = block.first_token + row + 1 - first_key;
  return seen < 0 ? 0 : seen < keys ? seen : keys;
}

// Scores become weights. All maxima come first, so that no row waits for its own.
template <typename Element, typename Products>
__attribute__((noinline)) void weigh(const HeadLayout& layout, const QueryBlock& block,
                                     Workspace<Element, Products>& work, int64_t first_key, int64_t width) {
  constexpr float kNothing = -__builtin_inff();
  const float factor = block.bias ? 1 : block.factor;
  float before[Products::kQueryBlock];
  for (int64_t row = 0; row < block.rows; ++row) {
    float* scores = work.scores + row * kScorePitch;
    const int64_t visible = visible_keys(layout, block, row, first_key, width);
    if (block.bias) add_bias(scores, visible, block.factor, block.bias + row * layout.keys + first_key);
    before[row] = work.maximum[row];
    work.maximum[row] = __builtin_fmaxf(before[row], largest_of(scores, visible) * factor);
  }
  bool grown = false;
  for (int64_t row = 0; row < block.rows; ++row) {
    work.shrink[row] = 1;
    if (work.maximum[row] == before[row]) continue;
    work.shrink[row] = _mm512_cvtss_f32(exp2(_mm512_set1_ps(before[row] - work.maximum[row])));
    grown = first_key > 0;
  }
  for (int64_t row = 0; row < block.rows; ++row) {
    // A row that has seen nothing yet but hidden keys keeps a maximum of -inf; its weights are zero.
    const float shift = work.maximum[row] == kNothing ? 0.0f : work.maximum[row];
    const __m512 sum = weigh_columns<Element>(work.scores + row * kScorePitch,
                                              visible_keys(layout, block, row, first_key, width), width,
                                              factor, shift, work.weights + row * work.weights_pitch);
    float* total = work.total + row * 16;
    _mm512_storeu_ps(total, _mm512_fmadd_ps(_mm512_loadu_ps(total), _mm512_set1_ps(work.shrink[row]), sum));
  }
  for (int64_t row = 0; row < block.rows && grown; ++row) {
    if (work.shrink[row] == 1) continue;
    float* sums = work.sums + row * layout.out_pitch();
    const __m512 shrink = _mm512_set1_ps(work.shrink[row]);
    for (int64_t i = 0; i < layout.out_pitch(); i += 16) {
      _mm512_storeu_ps(sums + i, _mm512_mul_ps(_mm512_loadu_ps(sums + i), shrink));
    }
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
    const float total = _mm512_reduce_add_ps(_mm512_loadu_ps(work.total + row * 16));
    const __m512 factor = _mm512_set1_ps(total > 0 ? 1 / total : 0.0f);
    for (int64_t i = 0; i < layout.head_size; i += 16) {
      const int64_t left = layout.head_size - i;
      const __mmask16 mask = left >= 16 ? 0xffff : static_cast<__mmask16>((1u << left) - 1);
      const __m512 value = _mm512_mul_ps(_mm512_loadu_ps(work.sums + row * layout.out_pitch() + i), factor);
      Element::store(block.out, row * block.out_stride + i, mask, value);
    }
  }
}

// sums (+)= weights of the keys [first, first + width) times their values.
template <typename Element, typename Products>
MAQUETTE_INLINE void multiply_values_of(const HeadLayout& layout, const QueryBlock& block,
                                        const Workspace<Element, Products>& work, int64_t first,
                                        int64_t width, int64_t rows) {
  const int64_t value_row = layout.value_vectors * 64;
  for (int64_t panel = 0; panel < layout.value_panels; ++panel) {
    const int64_t step = panel * layout.key_steps + first / layout.step_elements;
    Products::values({.a = work.weights,
                      .a_pitch = work.weights_pitch,
                      .b = static_cast<const char*>(block.values) + step * value_row,
                      .steps = width / layout.step_elements,
                      .sums = work.sums + panel * layout.value_vectors * 16,
                      .sums_pitch = layout.out_pitch(),
                      .accumulate = first > 0},
                     rows, layout.value_vectors);
  }
}

template <typename Element, typename Products>
void run_block(const HeadLayout& layout, const QueryBlock& block) {
  Workspace<Element, Products> work(layout, block.scratch);
  copy_queries<Element, Products>(layout, block, work);
  for (int64_t row = 0; row < block.rows; ++row) {
    work.maximum[row] = -__builtin_inff();
    _mm512_storeu_ps(work.total + row * 16, _mm512_setzero_ps());
  }
  const int64_t rows =
      (block.rows + Products::kRowMultiple - 1) / Products::kRowMultiple * Products::kRowMultiple;
  const int64_t panel_bytes = layout.depth_steps * kKeyPanel * 4;
  int64_t keys = layout.key_panels * kKeyPanel;
  if (block.causal && block.first_token + block.rows < keys) {
    keys =
        (block.first_token + block.rows + kKeyPanel - 1) / kKeyPanel * kKeyPanel;  // later ones are not seen
  }
  for (int64_t first = 0; first < keys; first += kKeyBlock) {
    const int64_t width = keys - first < kKeyBlock ? keys - first : kKeyBlock;

    Products::scores({.a = work.q,
                      .a_pitch = work.q_pitch,
                      .b = static_cast<const char*>(block.keys) + first / kKeyPanel * panel_bytes,
                      .steps = layout.depth_steps,
                      .sums = work.scores,
                      .sums_pitch = kScorePitch,
                      .accumulate = false},
                     rows, width);

    weigh(layout, block, work, first, width);

    multiply_values_of(layout, block, work, first, width, rows);
  }
  write_out<Element, Products>(layout, block, work);
}

MAQUETTE_INLINE __mmask16 keys_left(int64_t keys) {
  return keys >= 16 ? 0xffff : keys <= 0 ? 0 : static_cast<__mmask16>((1u << keys) - 1);
}

// weights = 2^(factor scores) of `rows` rows for one panel of 32 keys, of which `keys` are left; adds
// them to the totals.
template <typename Element, typename Products, bool kWhole>
MAQUETTE_INLINE void weigh_panel(const float* scores, int64_t rows, int64_t keys, float factor,
                                 Workspace<Element, Products>& work, int64_t column) {
  const __m512 scale = _mm512_set1_ps(factor);
  for (int64_t row = 0; row < rows; ++row) {
    __m512 left = Element::exp2(_mm512_mul_ps(_mm512_loadu_ps(scores + row * kKeyPanel), scale));
    __m512 right = Element::exp2(_mm512_mul_ps(_mm512_loadu_ps(scores + row * kKeyPanel + 16), scale));
    if (!kWhole) {
      left = _mm512_maskz_mov_ps(keys_left(keys), left);
      right = _mm512_maskz_mov_ps(keys_left(keys - 16), right);
    }
    Element::store_pair(work.weights + row * work.weights_pitch, column, left, right);
    float* total = work.total + row * 16;
    _mm512_storeu_ps(total, _mm512_add_ps(_mm512_loadu_ps(total), _mm512_add_ps(left, right)));
  }
}

// A block whose scores are safe. The scores of a panel are computed before those of the panel before it are
// weighed, so that the processor need not wait for them.
template <typename Element, typename Products>
void run_safe_block(const HeadLayout& layout, const QueryBlock& block) {
  Workspace<Element, Products> work(layout, block.scratch);
  copy_queries<Element, Products>(layout, block, work);
  for (int64_t row = 0; row < block.rows; ++row) _mm512_storeu_ps(work.total + row * 16, _mm512_setzero_ps());
  const int64_t rows =
      (block.rows + Products::kRowMultiple - 1) / Products::kRowMultiple * Products::kRowMultiple;
  const int64_t panel_bytes = layout.depth_steps * kKeyPanel * 4;
  constexpr int64_t kPanels = kSafeKeyBlock / kKeyPanel;
  const auto scores_of = [&](int64_t panel) {
    return work.scores + panel % 2 * Products::kQueryBlock * kKeyPanel;
  };
  const auto weigh = [&](int64_t panel) __attribute__((always_inline)) {
    const int64_t left = layout.keys - panel * kKeyPanel;
    const int64_t column = panel % kPanels * kKeyPanel;
    if (left >= kKeyPanel) {
      weigh_panel<Element, Products, true>(scores_of(panel), block.rows, left, block.factor, work, column);
    } else {
      weigh_panel<Element, Products, false>(scores_of(panel), block.rows, left, block.factor, work, column);
    }
  };
  for (int64_t first = 0; first < layout.key_panels; first += kPanels) {
    const int64_t end = first + kPanels < layout.key_panels ? first + kPanels : layout.key_panels;
    for (int64_t panel = first; panel < end; ++panel) {
      Products::scores({.a = work.q,
                        .a_pitch = work.q_pitch,
                        .b = static_cast<const char*>(block.keys) + panel * panel_bytes,
                        .steps = layout.depth_steps,
                        .sums = scores_of(panel),
                        .sums_pitch = kKeyPanel,
                        .accumulate = false},
                       rows, kKeyPanel);
      if (panel > first) weigh(panel - 1);
    }
    weigh(end - 1);
    multiply_values_of(layout, block, work, first * kKeyPanel, (end - first) * kKeyPanel, rows);
  }
  write_out<Element, Products>(layout, block, work);
}

// Chooses between the two by the lengths of this block's queries and of the head's keys.
template <typename Element, typename Products>
void run_any_block(const HeadLayout& layout, const QueryBlock& block) {
  const TinyIsZero mode;
  const float longest = longest_row<Element>(block.q, block.q_stride, block.rows, layout.head_size);
  const bool safe = !block.bias && !block.causal && block.factor * longest * block.longest_key <= kSafeScore;
  if (safe) {
    run_safe_block<Element, Products>(layout, block);
  } else {
    run_block<Element, Products>(layout, block);
  }
}

// Keys side by side: sixteen are gathered at a time, four bytes of each.
template <typename Element>
void pack_keys(const HeadLayout& layout, const void* k, int64_t stride, void* packed) {
  const auto* from = static_cast<const char*>(k);
  auto* to = static_cast<char*>(packed);
  const int64_t pitch = stride * Element::kBytes;
  const int64_t whole_steps = layout.head_size / layout.step_elements;
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i offsets = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(pitch)));
  std::memset(to, 0, static_cast<size_t>(layout.key_bytes));
  for (int64_t panel = 0; panel < layout.key_panels; ++panel, to += layout.depth_steps * 128) {
    for (int64_t half = 0; half < 2; ++half) {
      const int64_t token = panel * kKeyPanel + half * 16;
      const int64_t left = layout.keys - token;
      if (left <= 0) break;
      const __mmask16 mask = left >= 16 ? 0xffff : static_cast<__mmask16>((1u << left) - 1);
      const char* rows = from + token * pitch;
      for (int64_t step = 0; step < whole_steps; ++step) {
        const __m512i words =
            _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, offsets, rows + 4 * step, 1);
        _mm512_storeu_si512(to + step * 128 + half * 64, words);
      }
      if (whole_steps * layout.step_elements == layout.head_size) continue;
      for (int64_t key = 0; key < 16 && key < left; ++key) {  // half a pair
        std::memcpy(to + whole_steps * 128 + half * 64 + key * 4, rows + key * pitch + 4 * whole_steps,
                    static_cast<size_t>(Element::kBytes));
      }
    }
  }
}

template <typename Element>
void pack_values(const HeadLayout& layout, const void* v, int64_t stride, void* packed) {
  const auto* from = static_cast<const typename Element::Bits*>(v);
  auto* to = static_cast<char*>(packed);
  for (int64_t panel = 0; panel < layout.value_panels; ++panel) {
    for (int64_t step = 0; step < layout.key_steps; ++step) {
      const int64_t token = step * layout.step_elements;
      const int64_t tokens = layout.keys - token;
      for (int64_t i = 0; i < layout.value_vectors; ++i, to += 64) {
        const int64_t column = (panel * layout.value_vectors + i) * 16;
        const int64_t left = tokens > 0 ? layout.head_size - column : 0;
        const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : static_cast<__mmask16>((1u << left) - 1);
        _mm512_storeu_si512(to,
                            Element::values_step(from + token * stride + column, stride, mask, tokens > 1));
      }
    }
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
