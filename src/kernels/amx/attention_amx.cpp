// Attention on the tile registers of AMX. While the tiles multiply the scores of one block of keys and the
// values of the block before the last, the vector registers turn the scores of the block between them into
// weights: the three are independent, and a few rows are weighed behind each product of tiles, so that
// neither waits long.
//
// Weights are 2^(score - shift) without a running maximum. The softmax is the same for any shift that keeps
// them in range: none where the lengths of queries and keys prove that no score can leave it
// (Cauchy-Schwarz), otherwise about the row's largest score, found by a first pass over the keys. Their sums
// come from the products as well: every value has one more column, of ones.
//
// bf16 is multiplied as it is; f32 as three bf16 of 8 bits each, x = x0 + x1 + x2, where a b is the sum of
// a_i b_j with i + j < 3, as in core_amx.cpp. A packed key is k2 k1 k0 side by side, without padding between
// them. It meets q0 q0 q0, then 0 q1 q1, then 0 0 q2: heads of 40 take 9 steps of 32 so, instead of 12.
#include "kernels/amx/attention_pack.h"

namespace maquette::kernels::avx512 {
namespace {

struct alignas(64) FullTiles {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void configure() {
  const FullTiles tiles;
  // gcc 12 takes the operand of the next instruction for 8 bytes.
  asm volatile("" : : "r"(&tiles) : "memory");
  _tile_loadconfig(&tiles);
}

template <typename Form>
struct Workspace {
  char* q;           // [32][query_pitch]
  float* scores[2];  // [panels][32 queries][32 keys]
  char* weights[2];  // [panels][parts][32 queries][32 keys] bf16; pairs of keys i, i + 16
  float* sums;       // [32][value_vectors * 16]
  float* offset;     // [32], as Form::weight wants it
  Workspace(const HeadLayout& layout, const Widths<Form>& widths, float* scratch) {
    char* at = reinterpret_cast<char*>(scratch);
    const auto take = [&](int64_t bytes) {
      char* begin = at;
      at += (bytes + 63) / 64 * 64;
      return begin;
    };
    for (float*& s : scores) s = reinterpret_cast<float*>(take(Form::kPanels * kQueries * 2 * kRow));
    for (char*& w : weights) w = take(Form::kPanels * Form::kParts * kQueries * kRow);
    q = take(kQueries * widths.query_pitch());
    sums = reinterpret_cast<float*>(take(kQueries * layout.value_vectors * kRow));
    offset = reinterpret_cast<float*>(take(kQueries * 4));
  }
};

// Rows of a block of keys that are still to be weighed: unit u is row u % 32 of panel u / 32.
template <typename Form, bool kShifted>
struct Weigher {
  const float* scores;
  char* weights;
  const float* offset;
  __m512 scale;
  int64_t unit = 0;
  int64_t end = 0;

  __attribute__((always_inline)) void one() {
    const int64_t row = unit % kQueries;
    const __m512 shift = _mm512_set1_ps(offset[row]);
    const float* from = scores + unit * kKeyPanel;
    __m512 left = Form::template weight<kShifted>(_mm512_loadu_ps(from), scale, shift);
    __m512 right = Form::template weight<kShifted>(_mm512_loadu_ps(from + 16), scale, shift);
    char* to = weights + (unit / kQueries * Form::kValueParts * kQueries + row) * kRow;
    for (int part = 0; part < Form::kValueParts; ++part)
      _mm512_storeu_si512(to + part * kQueries * kRow, Form::weight_part(left, right));
    ++unit;
  }
  __attribute__((always_inline)) void some() {
    if (unit >= end) return;
#pragma GCC unroll 4
    for (int i = 0; i < Form::kUnits; ++i) one();
  }
  __attribute__((always_inline)) void rest() {
    while (unit < end) one();
  }
};

struct Nothing {
  __attribute__((always_inline)) void some() {}
};

// scores [32][32] of one panel of keys: the first `parts` parts of the queries times all of the panel from
// step `from` on.
template <typename Form, typename Meanwhile>
MAQUETTE_INLINE void score_panel(const Widths<Form>& widths, const char* q, const char* panel, int64_t from,
                                 int parts, float* scores, Meanwhile& meanwhile) {
  const int64_t pitch = widths.query_pitch();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t step = from; step < widths.steps; ++step) {
    const char* b = panel + step * 32 * kRow;
    _tile_loadd(6, b, 2 * kRow);
    _tile_loadd(7, b + kRow, 2 * kRow);
    for (int part = 0; part < parts && widths.first_step(part) <= step; ++part) {
      const char* a = q + widths.query(part, step);
      _tile_loadd(4, a, pitch);
      _tile_loadd(5, a + 16 * pitch, pitch);
      _tile_dpbf16ps(0, 4, 6);
      meanwhile.some();
      _tile_dpbf16ps(1, 4, 7);
      meanwhile.some();
      _tile_dpbf16ps(2, 5, 6);
      meanwhile.some();
      _tile_dpbf16ps(3, 5, 7);
      meanwhile.some();
    }
  }
  _tile_stored(0, scores, 2 * kRow);
  _tile_stored(1, scores + 16, 2 * kRow);
  _tile_stored(2, scores + 16 * kKeyPanel, 2 * kRow);
  _tile_stored(3, scores + 16 * kKeyPanel + 16, 2 * kRow);
}

struct ValueJob {
  const char* weights;  // as Workspace
  const char* values;   // packed, of the first panel
  int64_t panels;
  int64_t vectors;
  bool accumulate;
  float* sums;
};

template <int kColumns>
MAQUETTE_INLINE void store_columns(float* upper, float* lower, int64_t pitch) {
  _tile_stored(0, upper, pitch);
  if (kColumns > 1) _tile_stored(1, upper + 16, pitch);
  if (kColumns > 2) _tile_stored(2, upper + 32, pitch);
  _tile_stored(3, lower, pitch);
  if (kColumns > 1) _tile_stored(4, lower + 16, pitch);
  if (kColumns > 2) _tile_stored(5, lower + 32, pitch);
}

// Smallest products first: sums (+)= weights values, for 16 kColumns columns. Tiles 0 to 2 and 3 to 5: sums;
// 6: weights; 7: values.
template <typename Form, int kColumns, typename Meanwhile>
MAQUETTE_INLINE void add_columns(const ValueJob& job, int64_t column, Meanwhile& meanwhile) {
  const int64_t pitch = job.vectors * kRow;
  float* upper = job.sums + column * 16;
  float* lower = upper + 16 * job.vectors * 16;
  if (job.accumulate) {
    _tile_loadd(0, upper, pitch);
    if (kColumns > 1) _tile_loadd(1, upper + 16, pitch);
    if (kColumns > 2) _tile_loadd(2, upper + 32, pitch);
    _tile_loadd(3, lower, pitch);
    if (kColumns > 1) _tile_loadd(4, lower + 16, pitch);
    if (kColumns > 2) _tile_loadd(5, lower + 32, pitch);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
  }
  const char* w = job.weights;
  const char* v = job.values + column * kRow;
  for (int64_t panel = 0; panel < job.panels; ++panel) {
    // simpler.
    for (int of_values = Form::kValueParts - 1; of_values >= 0; --of_values) {
      const char* b = v + (panel * Form::kValueParts + of_values) * 16 * pitch;
      for (int part = Form::kValueParts - 1; part >= 0; --part) {
        const char* a = w + (panel * Form::kValueParts + part) * kQueries * kRow;
        _tile_loadd(6, a, kRow);
        _tile_loadd(7, b, pitch);
        _tile_dpbf16ps(0, 6, 7);
        meanwhile.some();
        if (kColumns > 1) {
          _tile_loadd(7, b + kRow, pitch);
          _tile_dpbf16ps(1, 6, 7);
          meanwhile.some();
        }
        if (kColumns > 2) {
          _tile_loadd(7, b + 2 * kRow, pitch);
          _tile_dpbf16ps(2, 6, 7);
          meanwhile.some();
        }
        _tile_loadd(6, a + 16 * kRow, kRow);
        if (kColumns > 2) {
          _tile_dpbf16ps(5, 6, 7);
          meanwhile.some();
        }
        if (kColumns > 1) {
          if (kColumns > 2) _tile_loadd(7, b + kRow, pitch);
          _tile_dpbf16ps(4, 6, 7);
          meanwhile.some();
          _tile_loadd(7, b, pitch);
        }
        _tile_dpbf16ps(3, 6, 7);
        meanwhile.some();
      }
    }
  }
  store_columns<kColumns>(upper, lower, pitch);
}

template <typename Form, typename Meanwhile>
MAQUETTE_INLINE void add_values(const ValueJob& job, Meanwhile& meanwhile) {
  for (int64_t column = 0; column < job.vectors;) {
    const int64_t left = job.vectors - column;
    if (left == 3 || left >= 5) {
      add_columns<Form, 3>(job, column, meanwhile);
      column += 3;
    } else if (left >= 2) {
      add_columns<Form, 2>(job, column, meanwhile);
      column += 2;
    } else {
      add_columns<Form, 1>(job, column, meanwhile);
      column += 1;
    }
  }
}

// The largest score of each row, near enough to keep the weights in range.
template <typename Form>
void find_offsets(const Widths<Form>& widths, const HeadLayout& layout, const QueryBlock& block, float bound,
                  Workspace<Form>& work) {
  // The first parts alone leave out 2^-7 of the scores at most.
  const bool rough = bound < 1000;
  const int64_t from = rough ? widths.first_step(Form::kParts - 1) : 0;
  __m512 largest[kQueries];
  for (__m512& l : largest) l = _mm512_set1_ps(-__builtin_inff());
  Nothing nothing;
  for (int64_t panel = 0; panel <= layout.key_panels; ++panel) {
    if (panel < layout.key_panels) {
      const char* keys = static_cast<const char*>(block.keys) + panel * widths.key_panel();
      score_panel<Form>(widths, work.q, keys, from, rough ? 1 : Form::kParts, work.scores[panel % 2],
                        nothing);
    }
    if (panel == 0) continue;
    const float* scores = work.scores[(panel - 1) % 2];
    for (int64_t row = 0; row < kQueries; ++row, scores += kKeyPanel) {
      largest[row] =
          _mm512_max_ps(largest[row], _mm512_max_ps(_mm512_loadu_ps(scores), _mm512_loadu_ps(scores + 16)));
    }
  }
  for (int64_t row = 0; row < kQueries; ++row) {
    work.offset[row] = Form::offset(_mm512_reduce_max_ps(largest[row]) * block.factor);
  }
}

template <typename Form, bool kShifted>
__attribute__((noinline)) void attend(const HeadLayout& layout, const Widths<Form>& widths,
                                      const QueryBlock& block, Workspace<Form>& work) {
  const int64_t blocks = (layout.key_panels + Form::kPanels - 1) / Form::kPanels;
  const auto panels_of = [&](int64_t i) {
    const int64_t left = layout.key_panels - i * Form::kPanels;
    return left < Form::kPanels ? left : Form::kPanels;
  };
  for (int64_t i = 0; i < blocks + 2; ++i) {
    Weigher<Form, kShifted> weigher{.scores = work.scores[(i + 1) % 2],
                                    .weights = work.weights[(i + 1) % 2],
                                    .offset = work.offset,
                                    .scale = _mm512_set1_ps(Form::scale(block.factor))};
    if (i >= 1 && i <= blocks) weigher.end = panels_of(i - 1) * kQueries;
    for (int64_t p = 0; i < blocks && p < panels_of(i); ++p) {
      const char* keys = static_cast<const char*>(block.keys) + (i * Form::kPanels + p) * widths.key_panel();
      score_panel<Form>(widths, work.q, keys, 0, Form::kParts, work.scores[i % 2] + p * kQueries * kKeyPanel,
                        weigher);
    }
    if (i >= 2) {
      const int64_t first = (i - 2) * Form::kPanels;
      add_values<Form>({.weights = work.weights[i % 2],
                        .values = static_cast<const char*>(block.values) +
                                  first * Form::kValueParts * 16 * layout.value_vectors * kRow,
                        .panels = panels_of(i - 2),
                        .vectors = layout.value_vectors,
                        .accumulate = i > 2,
                        .sums = work.sums},
                       weigher);
    }
    weigher.rest();
    asm volatile("" : : : "memory");  // gcc does not know that tiles are loaded from what was stored here
  }
}

template <typename Form>
void write_out(const HeadLayout& layout, const QueryBlock& block, const float* sums) {
  for (int64_t row = 0; row < block.rows; ++row, sums += layout.value_vectors * 16) {
    const __m512 factor = _mm512_set1_ps(1 / sums[layout.head_size]);
    for (int64_t i = 0; i < layout.head_size; i += 16) {
      Form::Element::store(block.out, row * block.out_stride + i, lanes_left(layout.head_size - i),
                           _mm512_mul_ps(_mm512_loadu_ps(sums + i), factor));
    }
  }
}

template <typename Form>
void run(const HeadLayout& layout, const QueryBlock& block) {
  const TinyIsZero mode;
  const Widths<Form> widths(layout);
  Workspace<Form> work(layout, widths, block.scratch);
  configure();
  fill_queries<Form>(layout, widths, block, work.q);
  const float longest =
      longest_row<typename Form::Element>(block.q, block.q_stride, block.rows, layout.head_size);
  const float bound = block.factor * longest * block.longest_key;
  if (bound <= kSafeScore) {
    for (int64_t row = 0; row < kQueries; ++row) work.offset[row] = Form::offset(0);
    attend<Form, false>(layout, widths, block, work);
  } else {
    find_offsets<Form>(widths, layout, block, bound, work);
    attend<Form, true>(layout, widths, block, work);
  }
  write_out<Form>(layout, block, work.sums);
  _tile_release();
}

template <typename Form>
constexpr AttentionCore kTiles{.element = Form::Element::kBytes,
                               .query_block = kQueries,
                               .layout = make_layout<Form>,
                               .pack_keys = pack_keys<Form>,
                               .longest_row = longest_row<typename Form::Element>,
                               .pack_values = pack_values<Form>,
                               .run = run<Form>};

}  // namespace

const AttentionCore kAttentionAmx = kTiles<Bf16Form>;
const AttentionCore kAttentionAmxSplit = kTiles<SplitForm>;

}  // namespace maquette::kernels::avx512
