// A network whose weights have shapes and whose configuration has values of the fuzzer's choice: it is
// refused with Error(weights), or it is sound and runs one forward pass.
//
// The bytes are read as
//   network, precision, then changes of [kind, tensor, tensor, value]
// so that every input is a small number of changes to one of the smallest networks of each kind.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>

#include "kernels/threads.h"
#include "models/tiny_networks.h"

namespace maquette::models {
namespace {

constexpr int64_t kMostElements = 1 << 14;  // of one tensor; time is better spent on other shapes

// Numbers that files carry by mistake or on purpose.
const Json& hostile_value(size_t choice) {
  static const std::vector<Json> values = {0,
                                           -1,
                                           1,
                                           2,
                                           3,
                                           7,
                                           64,
                                           65536,
                                           2147483648,
                                           1e30,
                                           0.5,
                                           true,
                                           "gelu",
                                           nullptr,
                                           Json::array(),
                                           Json::object(),
                                           Json::array({2, 3})};
  return values[choice % values.size()];
}

class Changes {
 public:
  explicit Changes(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  size_t number() {
    if (bytes_.empty()) return 0;
    const size_t value = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return value;
  }
  bool done() const { return bytes_.empty(); }

 private:
  std::span<const uint8_t> bytes_;
};

void change_config(Json& config, Changes& changes) {
  static const std::vector<std::string> keys = {
      "norm_num_groups",    "norm_eps",     "attention_head_dim", "num_attention_heads",
      "block_out_channels", "freq_shift",   "layer_norm_eps",     "upsampling_scaling_factor",
      "downscale_factor",   "adapter_type", "scaling_factor",     "latent_magnitude",
      "hidden_act"};
  config[keys[changes.number() % keys.size()]] = hostile_value(changes.number());
}

// "resnets.0" -> "resnets.1": one part more than the network has.
std::string next_number(std::string name) {
  const size_t digit = name.find_first_of("0123456789");
  if (digit != std::string::npos && name[digit] < '9') ++name[digit];
  return name;
}

void change_tensor(TensorShapes& tensors, Changes& changes) {
  if (tensors.empty()) return;
  enum { set_size, grow, take_shape, swap_shapes, drop, add_copy, add_axis, drop_axis, change_count };
  const size_t kind = changes.number() % change_count;
  const size_t first = changes.number() % tensors.size();
  const size_t second = changes.number() % tensors.size();
  const auto value = static_cast<int64_t>(changes.number());
  const Shape before = tensors[first].second;
  const int axis = before.rank() > 0 ? static_cast<int>(second) % before.rank() : 0;
  const std::span<const int64_t> sizes = before.sizes();
  if (kind == drop) {
    tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(first));
    return;
  }
  if (kind == add_copy) {
    tensors.emplace_back(next_number(tensors[first].first), before);
    return;
  }
  Shape& shape = tensors[first].second;
  if (kind == set_size && before.rank() > 0) shape.set(axis, value);
  if (kind == grow && before.rank() > 0) shape.set(axis, before[axis] * (1 + value % 4));
  if (kind == take_shape) shape = tensors[second].second;
  if (kind == swap_shapes) std::swap(shape, tensors[second].second);
  if (kind == add_axis && before.rank() < Shape::kMaxRank) {
    std::vector<int64_t> more(sizes.begin(), sizes.end());
    more.insert(more.begin() + axis, value % 5);
    shape = Shape(more);
  }
  if (kind == drop_axis && before.rank() > 0) shape = Shape(sizes.first(sizes.size() - 1));
}

}  // namespace
}  // namespace maquette::models

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette;
  kernels::set_thread_count(1);
  models::Changes changes(std::span(data, std::min<size_t>(size, 256)));
  models::TinyNetwork network = models::tiny_networks()[changes.number() % models::tiny_networks().size()];
  const DType type = changes.number() % 4 == 3 ? DType::bf16 : DType::f32;
  while (!changes.done()) {
    if (changes.number() % 8 == 7) {
      models::change_config(network.config, changes);
    } else {
      models::change_tensor(network.tensors, changes);
    }
  }
  for (const auto& [name, shape] : network.tensors) {
    if (shape.elements() > models::kMostElements) return 0;
  }
  try {
    models::run_network(network, type);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::weights) return 0;
    std::fprintf(stderr, "%s: %s\n", network.name.c_str(), error.message().c_str());
    __builtin_trap();
  }
  return 0;
}
