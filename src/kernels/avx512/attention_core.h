// The parts of attention that are compiled per instruction set, and what they hand to each other.
#pragma once

#include <cstdint>

namespace maquette::kernels::avx512 {

constexpr int64_t kKeyBlock = 256;               // keys whose scores are kept at one time
constexpr int64_t kSafeKeyBlock = 128;           // keys whose weights are kept, where no maximum is needed
constexpr int64_t kScorePitch = kKeyBlock + 16;  // rows must not share their cache sets
constexpr int64_t kKeyPanel = 32;                // keys side by side in a packed panel
constexpr int64_t kMaxValueVectors = 5;          // of a panel of values, sixteen elements each

// How one head's keys and values are packed. On registers:
//   keys    [panels of 32 keys][depth steps][32 keys]   a step is one f32 or a pair of bf16
//   values  [panels][key steps][value_vectors * 16 elements]   a step is one key, or a pair of keys
// On the tiles of AMX: see attention_amx.cpp.
struct HeadLayout {
  int64_t head_size = 0;
  int64_t keys = 0;
  int64_t depth_steps = 0;  // of a query or key
  int64_t key_panels = 0;
  int64_t key_steps = 0;  // of all keys, padded to whole key panels
  int64_t value_panels = 1;
  int64_t value_vectors = 0;  // per panel
  int64_t step_elements = 1;  // 2 for bf16
  int64_t key_bytes = 0;
  int64_t value_bytes = 0;
  int64_t scratch_bytes = 0;  // per thread

  int64_t out_pitch() const { return value_panels * value_vectors * 16; }  // floats
};

// A block of queries of one head against all its keys.
struct QueryBlock {
  const void* q = nullptr;  // [rows][q_stride]
  int64_t q_stride = 0;
  int64_t rows = 0;
  const void* keys = nullptr;  // packed
  const void* values = nullptr;
  float longest_key = 0;        // length of the head's longest key
  float factor = 0;             // scale / ln 2: the softmax is taken to base 2
  const float* bias = nullptr;  // [rows][keys]
  int64_t first_token = 0;      // of the block, for the causal mask
  bool causal = false;
  void* out = nullptr;  // [rows][out_stride]
  int64_t out_stride = 0;
  float* scratch = nullptr;  // scratch_bytes
};

struct AttentionCore {
  int64_t element;      // bytes
  int64_t query_block;  // most rows of a block of queries
  HeadLayout (*layout)(int64_t head_size, int64_t keys);
  void (*pack_keys)(const HeadLayout& layout, const void* k, int64_t stride, void* packed);
  float (*longest_row)(const void* rows, int64_t stride, int64_t count, int64_t size);
  void (*pack_values)(const HeadLayout& layout, const void* v, int64_t stride, void* packed);
  void (*run)(const HeadLayout& layout, const QueryBlock& block);
};
extern const AttentionCore kAttentionF32;
extern const AttentionCore kAttentionBf16;
extern const AttentionCore kAttentionAmx;       // bf16; neither bias nor causal
extern const AttentionCore kAttentionAmxSplit;  // f32 as three bf16; likewise

}  // namespace maquette::kernels::avx512
