// Attention: the keys and values of every head are packed once, then blocks of queries run on all threads.
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/avx512/attention_core.h"
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/product.h"

namespace maquette::kernels::avx512 {

void run_attention(Exec& ex, const AttentionCore& core, const AttentionInput& a, Tensor& out) {
  const HeadLayout layout = core.layout(a.head_size, a.k_length);
  const int64_t heads = a.n * a.heads;
  Tensor keys = ex.empty({heads, layout.key_bytes}, DType::u8);
  Tensor values = ex.empty({heads, layout.value_bytes}, DType::u8);
  const auto at = [&](const void* base, int64_t element) {
    return static_cast<const char*>(base) + element * core.element;
  };
  const auto part = [&](Tensor& packed, int64_t head) {
    return static_cast<char*>(packed.raw()) + head * packed.size(1);
  };
  std::vector<float> longest_key(static_cast<size_t>(heads));
  parallel_tasks(heads, [&](int64_t head, int) {
    const int64_t image = head / a.heads;
    const int64_t column = head % a.heads * a.head_size;
    const void* k = at(a.k, image * a.k_length * a.k_stride + column);
    longest_key[static_cast<size_t>(head)] = core.longest_row(k, a.k_stride, a.k_length, a.head_size);
    core.pack_keys(layout, k, a.k_stride, part(keys, head));
    core.pack_values(layout, at(a.v, image * a.k_length * a.v_stride + column), a.v_stride,
                     part(values, head));
  });

  const int64_t blocks = (a.q_length + core.query_block - 1) / core.query_block;
  const int64_t workers = std::min<int64_t>(thread_count(), heads * blocks);
  Tensor scratch = ex.empty({workers, (layout.scratch_bytes + 63) / 64 * 16}, DType::f32);
  const float scale = a.scale != 0 ? a.scale : 1 / std::sqrt(static_cast<float>(a.head_size));
  const int64_t width = a.heads * a.head_size;
  const auto run = [&](int64_t task, int worker) {
    const int64_t head = task / blocks;
    const int64_t image = head / a.heads;
    const int64_t column = head % a.heads * a.head_size;
    const int64_t begin = a.q_length * (task % blocks) / blocks;
    const int64_t end = a.q_length * (task % blocks + 1) / blocks;
    const float* bias = nullptr;
    if (a.bias.defined()) {
      bias = a.bias.data().data() + ((a.bias.size(0) == 1 ? 0 : image) * a.q_length + begin) * a.k_length;
    }
    core.run(layout, {.q = at(a.q, (image * a.q_length + begin) * a.q_stride + column),
                      .q_stride = a.q_stride,
                      .rows = end - begin,
                      .keys = part(keys, head),
                      .values = part(values, head),
                      .longest_key = longest_key[static_cast<size_t>(head)],
                      .factor = scale * 1.44269504f,
                      .bias = bias,
                      .first_token = begin,
                      .causal = a.causal,
                      .out = static_cast<char*>(out.raw()) +
                             ((image * a.q_length + begin) * width + column) * core.element,
                      .out_stride = width,
                      .scratch = scratch.data().data() + worker * scratch.size(1)});
  };
  parallel_tasks(heads * blocks, run, workers);
}

}  // namespace maquette::kernels::avx512
