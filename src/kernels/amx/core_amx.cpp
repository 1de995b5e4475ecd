// The product cores on the tile registers of AMX (Intel 64 and IA-32 Optimization Reference Manual, chapter
// 20): two tiles of up to 16 rows times two of 16 columns, 32 k per step. Both operands stream from the
// second-level cache; keeping a part of the panel in the first level instead, and the sums in memory, was
// slower.
//
// bf16 is multiplied as it is. An f32 is split into two or three bf16 of 8 bits each, x = x0 + x1 + x2, each
// the rounded rest of those before, and a b taken as the sum of a_i b_j with i + j < parts, in f32 (Henry,
// Tang & Heinecke 2019, "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
// Computations"). Three parts are as exact as f32; two leave out at most 2^-18 of each factor and x1 x1,
// about what Winograd's transforms lose.
#include <immintrin.h>

#include "kernels/avx512/core.h"
#include "kernels/avx512/element_bf16.h"
#include "kernels/avx512/element_f32.h"
#include "kernels/avx512/finish.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr int kRowsPerTile = 16;
constexpr int64_t kTileFloats = kRowsPerTile * kPanelColumns;
constexpr int64_t kStepDepth = 32;  // k of one multiplication

// Layout of the operand of LDTILECFG, palette 1.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles 0 1 and 2 3: sums of the upper and lower rows; 4 and 5: A; 6 and 7: B.
void configure(int upper, int lower) {
  TileConfiguration c;
  for (int i = 0; i < 8; ++i) c.row_bytes[i] = 64;
  c.rows[0] = c.rows[1] = c.rows[4] = static_cast<uint8_t>(upper);
  c.rows[2] = c.rows[3] = c.rows[5] = static_cast<uint8_t>(lower);
  c.rows[6] = c.rows[7] = 16;
  asm volatile(""
               :
               : "r"(&c)
               : "memory");  // gcc 12 takes the operand of the next instruction
                             // for 8 bytes
  _tile_loadconfig(&c);
}

// Two row tiles, or one: `lower` is not read then.
struct Pair {
  const RowTile* upper;
  const RowTile* lower;
  float* upper_sums;  // where the sums go
  float* lower_sums;
  int64_t pitch;  // bytes
};

template <bool kBoth>
MAQUETTE_INLINE void load_sums(const PanelJob& job, const Pair& pair) {
  if (!job.accumulate) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    return;
  }
  const int64_t pitch = job.sums_pitch * 4;
  const float* upper = job.sums + pair.upper->block_row * job.sums_pitch;
  _tile_loadd(0, upper, pitch);
  _tile_loadd(1, upper + 16, pitch);
  if (kBoth) {
    const float* lower = job.sums + pair.lower->block_row * job.sums_pitch;
    _tile_loadd(2, lower, pitch);
    _tile_loadd(3, lower + 16, pitch);
  }
}

// What is fetched while a pair is multiplied, some of it in each step: a part of the panel after this one,
// the rows of A of the next pair, and the rows of the output and residual that this pair will be added to.
struct Ahead {
  const char* panel;
  int64_t panel_lines;  // of each step
  const char* upper;    // rows of the next pair; null: they lie in the cache already
  const char* lower;
  const char* out;  // null: nothing is written yet
  const char* residual;
  int64_t out_pitch;
  int64_t out_rows;  // of each step
};

MAQUETTE_INLINE void fetch(const PanelJob& job, Ahead& ahead, int64_t a_offset) {
  for (int64_t i = 0; i < ahead.panel_lines; ++i, ahead.panel += 64) _mm_prefetch(ahead.panel, _MM_HINT_T1);
  if (ahead.upper) {
    for (int64_t r = 0; r < kRowsPerTile; ++r) {
      _mm_prefetch(ahead.upper + a_offset + r * job.row_pitch, _MM_HINT_T0);
      _mm_prefetch(ahead.lower + a_offset + r * job.row_pitch, _MM_HINT_T0);
    }
  }
  if (ahead.out) {
    for (int64_t i = 0; i < ahead.out_rows; ++i, ahead.out += ahead.out_pitch) {
      __builtin_prefetch(ahead.out, 1);
      if (ahead.residual) {
        _mm_prefetch(ahead.residual, _MM_HINT_T0);
        ahead.residual += ahead.out_pitch;
      }
    }
  }
}

// How the numbers lie: in a step, kRowBytes of each row of A and kStepBytes of the panel.
struct Bf16Form {
  using Element = ElementBf16;
  static constexpr int64_t kRowBytes = 64;
  static constexpr int64_t kStepBytes = 32 * 32 * 2;
  template <bool kBoth>
  MAQUETTE_INLINE void multiply(const char* upper, const char* lower, int64_t pitch, const char* b) {
    _tile_loadd(6, b, 128);
    _tile_loadd(4, upper, pitch);
    _tile_loadd(7, b + 64, 128);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (kBoth) {
      _tile_loadd(5, lower, pitch);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
};

// Rows of A: of 32 numbers the first parts, then the second ones and so on; the panel likewise, in steps.
// Weights that were published in fewer bits have fewer parts.
template <int kParts, int kWeightParts>
struct SplitForm {
  using Element = ElementF32;
  static constexpr int64_t kRowBytes = 64 * kParts;
  static constexpr int64_t kPart = 32 * 32 * 2;
  static constexpr int64_t kStepBytes = kWeightParts * kPart;
  template <bool kBoth>
  MAQUETTE_INLINE void multiply(const char* upper, const char* lower, int64_t pitch, const char* b) {
    // Loads the parts that change, and multiplies them.
    const auto rows = [=](int part) __attribute__((always_inline)) {
      _tile_loadd(4, upper + 64 * part, pitch);
      if (kBoth) _tile_loadd(5, lower + 64 * part, pitch);
    };
    const auto weights = [=](int part) __attribute__((always_inline)) {
      _tile_loadd(6, b + kPart * part, 128);
      _tile_loadd(7, b + kPart * part + 64, 128);
    };
    const auto add_product = []() __attribute__((always_inline)) {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if (kBoth) {
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    };
    // (rows, weights), smallest first: 0 2, 0 1, 1 1, 1 0, 0 0, 2 0; with two parts 0 1, 0 0, 1 0.
    rows(0);
    if constexpr (kWeightParts == 3) {
      weights(2);
      add_product();
    }
    if constexpr (kWeightParts >= 2) {
      weights(1);
      add_product();
      if constexpr (kParts == 3) {
        rows(1);
        add_product();
      }
    }
    weights(0);
    add_product();  // of the rows loaded last: part 1 after a product 1 1, otherwise part 0
    if constexpr (kParts == 3) {
      rows(kWeightParts >= 2 ? 0 : 1);
      add_product();
      rows(2);
      add_product();
    } else {
      rows(1);
      add_product();
    }
  }
};

template <typename Form, bool kBoth>
void multiply_pair(const PanelJob& job, const Pair& pair, Ahead ahead) {
  load_sums<kBoth>(job, pair);
  const char* b = job.b;
  for (int64_t tap = 0; tap < job.taps; ++tap) {
    const char* upper = job.a + pair.upper->a_offset + job.tap_offset[tap];
    const char* lower = kBoth ? job.a + pair.lower->a_offset + job.tap_offset[tap] : upper;
    const int64_t bytes = job.depth / kStepDepth * Form::kRowBytes;
    for (int64_t k = 0; k < bytes; k += Form::kRowBytes, b += Form::kStepBytes) {
      Form::template multiply<kBoth>(upper + k, lower + k, job.row_pitch, b);
      fetch(job, ahead, job.tap_offset[tap] + k);
    }
  }
  _tile_stored(0, pair.upper_sums, pair.pitch);
  _tile_stored(1, pair.upper_sums + 16, pair.pitch);
  if (kBoth) {
    _tile_stored(2, pair.lower_sums, pair.pitch);
    _tile_stored(3, pair.lower_sums + 16, pair.pitch);
  }
}

template <typename Form>
void finish_pair(const PanelJob& job, const Pair& pair) {
  const auto finish = [&](const RowTile& tile, const float* sums) {
    finish_tile<typename Form::Element>(
        *job.finish,
        {.sums = sums, .pitch = kPanelColumns, .row = tile.row, .rows = tile.rows, .panel = job.panel});
  };
  finish(*pair.upper, pair.upper_sums);
  if (pair.lower) finish(*pair.lower, pair.lower_sums);
}

Pair make_pair(const PanelJob& job, int64_t index, float* finished) {
  Pair pair{.upper = job.tiles + 2 * index,
            .lower = 2 * index + 1 < job.tile_count ? job.tiles + 2 * index + 1 : nullptr,
            .upper_sums = finished,
            .lower_sums = finished + kTileFloats,
            .pitch = kPanelColumns * 4};
  if (!job.finish) {
    pair.upper_sums = job.sums + pair.upper->block_row * job.sums_pitch;
    if (pair.lower) pair.lower_sums = job.sums + pair.lower->block_row * job.sums_pitch;
    pair.pitch = job.sums_pitch * 4;
  }
  return pair;
}

// The panel after this one lies behind it; while this one is in use it is fetched, evenly spread over the
// pairs.
template <typename Form>
Ahead ahead_of(const PanelJob& job, const Pair& pair, int64_t index, int64_t pairs) {
  const int64_t steps = job.taps * job.depth / kStepDepth;
  const int64_t lines = (Form::kStepBytes / 64 + pairs - 1) / pairs;
  Ahead ahead{.panel = job.b + (steps * Form::kStepBytes) + index * steps * lines * 64, .panel_lines = lines};
  if (job.fetch != Fetch::nothing && 2 * index + 2 < job.tile_count) {
    ahead.upper = job.a + job.tiles[2 * index + 2].a_offset;
    ahead.lower = 2 * index + 3 < job.tile_count ? job.a + job.tiles[2 * index + 3].a_offset : ahead.upper;
  }
  if (job.finish) {
    const int64_t columns = job.finish->gated ? kPanelColumns / 2 : kPanelColumns;
    const int64_t first =
        (job.finish->row_begin(pair.upper->row) + job.panel * columns) * Form::Element::kBytes;
    const auto* residual = static_cast<const char*>(job.finish->residual);
    ahead.out = static_cast<const char*>(job.finish->out) + first;
    ahead.residual = residual ? residual + first : nullptr;
    ahead.out_pitch = job.finish->step() * Form::Element::kBytes;
    ahead.out_rows = (2 * kRowsPerTile + steps - 1) / steps;
  }
  return ahead;
}

template <typename Form>
void multiply_panel(const PanelJob& job) {
  alignas(64) float finished[2][2 * kTileFloats];
  const int64_t pairs = (job.tile_count + 1) / 2;
  int upper_rows = 0, lower_rows = 0;
  Pair before{};
  for (int64_t i = 0; i < pairs; ++i) {
    const Pair pair = make_pair(job, i, finished[i % 2]);
    if (pair.upper->rows != upper_rows || (pair.lower && pair.lower->rows != lower_rows)) {
      upper_rows = pair.upper->rows;
      lower_rows = pair.lower ? pair.lower->rows : kRowsPerTile;
      configure(upper_rows, lower_rows);
    }
    if (pair.lower) {
      multiply_pair<Form, true>(job, pair, ahead_of<Form>(job, pair, i, pairs));
    } else {
      multiply_pair<Form, false>(job, pair, ahead_of<Form>(job, pair, i, pairs));
    }
    // The tiles of one pair are finished while those of the next are being multiplied.
    if (job.finish && i > 0) finish_pair<Form>(job, before);
    before = pair;
  }
  if (job.finish) finish_pair<Form>(job, before);
  _tile_release();
}

template <int kParts>
void multiply_split_panel(const PanelJob& job) {
  switch (job.weight_parts) {
    case 1: return multiply_panel<SplitForm<kParts, 1>>(job);
    case 2: return multiply_panel<SplitForm<kParts, 2>>(job);
    default: return multiply_panel<SplitForm<kParts, kParts>>(job);
  }
}

// As Core::split_row.
template <int kParts>
void split_row(const float* from, int64_t count, int64_t depth, char* to) {
  for (int64_t k = 0; k < depth; k += 16) {
    __m512 rest = _mm512_maskz_loadu_ps(columns_left(count - k), from + k);
    char* half = to + k / 32 * 64 * kParts + k % 32 * 2;
    for (int part = 0; part < kParts; ++part) {
      const auto rounded = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(rest));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(half + 64 * part), rounded);
      const __m512 widened = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
      rest = _mm512_sub_ps(rest, widened);
    }
  }
}

}  // namespace

const Core kCoreAmx{.max_rows = kRowsPerTile,
                    .row_step = kRowsPerTile,
                    .depth_multiple = kStepDepth,
                    .element = 2,
                    .block_bytes = 1024 * 1024,
                    .most_channels = 2560,
                    .multiply = multiply_panel<Bf16Form>};

template <int kParts>
constexpr Core kSplit{.max_rows = kRowsPerTile,
                      .row_step = kRowsPerTile,
                      .depth_multiple = kStepDepth,
                      .element = 4,
                      .block_bytes = 1024 * 1024,
                      .most_channels = 1280,
                      .multiply = multiply_split_panel<kParts>,
                      .parts = kParts,
                      .split_row = split_row<kParts>};
const Core kCoreAmxSplit2 = kSplit<2>;
const Core kCoreAmxSplit3 = kSplit<3>;

}  // namespace maquette::kernels::avx512
