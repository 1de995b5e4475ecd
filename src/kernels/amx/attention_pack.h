// How attention on tiles lays out a head: packing of keys and values, once per head, and of queries, once per
// block. Included by attention_amx.cpp alone.
#pragma once

#include <cstring>

#include "kernels/amx/attention_form.h"
#include "kernels/avx512/attention_core.h"
#include "kernels/avx512/attention_rows.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr int64_t kQueries = 32;  // of a block: two row tiles
constexpr int64_t kStep = 32;     // k of one multiplication
constexpr int64_t kRow = 64;      // bytes of a row of a tile

// How the parts of a head lie. Widths in elements, of k.
template <typename Form>
struct Widths {
  explicit Widths(const HeadLayout& layout)
      : head((layout.head_size + 1) / 2 * 2), steps(layout.depth_steps) {}
  int64_t head;                                                       // one part of a query or key
  int64_t steps;                                                      // of 32 that a packed key takes
  int64_t first_step(int part) const { return part * head / kStep; }  // where that part of the queries begins
  // Bytes from the beginning of a row of queries to a step of a part.
  int64_t query(int part, int64_t step) const {
    int64_t before = 0;
    for (int i = 0; i < part; ++i) before += steps - first_step(i);
    return (before + step - first_step(part)) * kRow;
  }
  int64_t query_pitch() const {
    return query(Form::kParts, first_step(Form::kParts)) | kRow;
  }                                                            // an odd number of lines
  int64_t key_panel() const { return steps * 16 * 2 * kRow; }  // bytes
};

template <typename Form>
HeadLayout make_layout(int64_t head_size, int64_t keys) {
  HeadLayout layout{.head_size = head_size, .keys = keys};
  const int64_t width = (head_size + 1) / 2 * 2;
  layout.depth_steps = (Form::kParts * width + kStep - 1) / kStep;
  layout.key_panels = (keys + kKeyPanel - 1) / kKeyPanel;
  layout.value_vectors = head_size / 16 + 1;  // with the column of ones
  const Widths<Form> widths(layout);
  layout.key_bytes = layout.key_panels * widths.key_panel();
  layout.value_bytes = layout.key_panels * Form::kValueParts * layout.value_vectors * 16 * kRow;
  layout.scratch_bytes =
      kQueries * (widths.query_pitch() + 2 * Form::kPanels * (2 * kRow + Form::kParts * kRow) +
                  layout.value_vectors * kRow + 4) +
      4096;
  return layout;
}

// Copies the queries as the keys want to meet them.
template <typename Form>
void fill_queries(const HeadLayout& layout, const Widths<Form>& widths, const QueryBlock& block, char* q) {
  const int64_t pitch = widths.query_pitch();
  std::memset(q, 0, static_cast<size_t>(kQueries * pitch));
  for (int64_t row = 0; row < block.rows; ++row, q += pitch) {
    for (int64_t i = 0; i < layout.head_size; i += 16) {
      const __mmask16 mask = lanes_left(layout.head_size - i);
      __m512 x = Form::Element::load(block.q, row * block.q_stride + i, mask);
      for (int part = 0; part < Form::kParts; ++part) {
        const __m512 top = rounded(x);
        x = _mm512_sub_ps(x, top);
        const __m256i words = _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(top), 16));
        char* begin = q + widths.query(part, 0) + i * 2;
        for (int copy = part; copy < Form::kParts; ++copy)
          _mm256_mask_storeu_epi16(begin + copy * widths.head * 2, mask, words);
      }
    }
  }
}

// Panels of 32 keys: [steps][16 pairs of k][32 keys]. Keys after the last repeat it: their values are zero.
template <typename Form>
void pack_keys(const HeadLayout& layout, const void* k, int64_t stride, void* packed) {
  const Widths<Form> widths(layout);
  const int64_t pitch = stride * Form::Element::kBytes;
  auto* to = static_cast<char*>(packed);
  std::memset(to, 0, static_cast<size_t>(layout.key_bytes));
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int64_t token = 0; token < layout.key_panels * kKeyPanel; token += 16) {
    const int64_t first = token < layout.keys ? token : layout.keys - 1;
    const __m512i last = _mm512_set1_epi32(static_cast<int>(layout.keys - 1 - first));
    const __m512i offsets =
        _mm512_mullo_epi32(_mm512_min_epi32(lanes, last), _mm512_set1_epi32(static_cast<int>(pitch)));
    const char* rows = static_cast<const char*>(k) + first * pitch;
    char* panel = to + token / kKeyPanel * widths.key_panel() + token % kKeyPanel * 4;
    for (int64_t i = 0; i < layout.head_size; i += 2) {
      __m512i parts[Form::kParts];
      Form::pairs(rows, offsets, i, i + 1 < layout.head_size, parts);
      for (int part = 0; part < Form::kParts; ++part) {
        const int64_t at = (Form::kParts - 1 - part) * widths.head + i;
        _mm512_storeu_si512(panel + at / 2 * 2 * kRow, parts[part]);
      }
    }
  }
}

// Panels of 32 keys: [parts][16 pairs of keys i, i + 16][columns]; behind the last column, ones.
template <typename Form>
void pack_values(const HeadLayout& layout, const void* v, int64_t stride, void* packed) {
  auto* to = static_cast<char*>(packed);
  const int64_t part_bytes = 16 * layout.value_vectors * kRow;
  const auto load = [&](int64_t token, int64_t column) __attribute__((always_inline)) {
    if (token >= layout.keys) return _mm512_setzero_ps();
    const __mmask16 mask = lanes_left(layout.head_size - column);
    const __m512 x = Form::Element::load(v, token * stride + column, mask);
    const int64_t end = layout.head_size - column;
    return end < 16 ? _mm512_mask_mov_ps(x, static_cast<__mmask16>(1u << end), _mm512_set1_ps(1)) : x;
  };
  for (int64_t panel = 0; panel < layout.key_panels; ++panel, to += Form::kValueParts * part_bytes) {
    for (int64_t pair = 0; pair < 16; ++pair) {
      for (int64_t vector = 0; vector < layout.value_vectors; ++vector) {
        __m512 left = load(panel * kKeyPanel + pair, vector * 16);
        __m512 right = load(panel * kKeyPanel + pair + 16, vector * 16);
        char* at = to + (pair * layout.value_vectors + vector) * kRow;
        for (int part = 0; part < Form::kValueParts; ++part) {
          _mm512_storeu_si512(at + part * part_bytes, next_part(left, right));
        }
      }
    }
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
