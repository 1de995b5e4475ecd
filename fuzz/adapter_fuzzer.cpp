// Any bytes as an adapter: opened, read into modules, and merged into the weights of a tiny network, which
// must keep their shapes and come back as they were.

#include <cstring>

#include "models/adapters/adapter_stack.h"
#include "models/adapters/tiny_components.h"
#include "weights/weight_file.h"
#include "weights_fuzzing.h"

namespace maquette::models {
namespace {

void wear(const SharedAdapter& adapter) {
  static const Components components = tiny_components();
  static const Components untouched = tiny_components();
  AdapterStack stack(components);
  const AdapterReport report = stack.match(adapter);
  static_cast<void>(report.text());
  try {
    require_matched(report);
  } catch (const Error& error) {
    static_cast<void>(error.message());
  }
  const AdapterUse once{.adapter = adapter, .unet_weight = 0.5, .text_weight = -1};
  const AdapterUse twice[] = {once, once};
  stack.set(std::span(&once, 1));
  stack.set(twice, {.unet_type = DType::bf16});
  for (const auto& [component, parameters] : components) {
    for (const auto& [name, parameter] : parameters.all()) {
      if (!(parameter.read().shape() == parameter.shape)) __builtin_trap();
    }
  }
  stack.set({});
  for (const auto& [component, parameters] : components) {
    for (const auto& [name, parameter] : parameters.all()) {
      const Tensor now = parameter.read();
      const Tensor before = untouched.at(component).find(name)->read();
      if (now.bytes() != before.bytes() || std::memcmp(now.raw(), before.raw(), now.bytes()) != 0)
        __builtin_trap();
    }
  }
}

}  // namespace
}  // namespace maquette::models

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette;
  const Result<weights::SharedWeightFile> file = weights::open_safetensors(weights::fuzzed(data, size));
  if (!file) return 0;
  Result<models::Adapter> adapter = models::adapter_of(*file);
  if (adapter) models::wear(std::make_shared<const models::Adapter>(std::move(*adapter)));
  return 0;
}
