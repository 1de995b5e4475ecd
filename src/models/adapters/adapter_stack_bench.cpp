// Putting a LoRA on and off: the linear layers of a Stable Diffusion 1.5 UNet's transformers (f16, 267
// million weights in 192 layers) and a LoRA of rank 32 for all of them. "set" is the merge or the restoring,
// "next_use" the packing that the following pass does, layer by layer.
#include <benchmark/benchmark.h>
#include <chrono>
#include <functional>

#include "kernels/matmul.h"
#include "models/adapters/adapter_stack.h"
#include "models/adapters/tiny_components.h"

namespace maquette::models {
namespace {

struct Layer {
  std::string name;
  std::shared_ptr<kernels::MatmulWeights> weights;
};

struct Bench {
  std::vector<Layer> layers;
  Components components;
  SharedAdapter adapter;

  Bench() {
    std::map<std::string, Tensor> file;
    const auto add = [&](const std::string& name, int64_t out, int64_t in) {
      Tensor w = Tensor::empty({out, in}, DType::f16);
      auto* bits = static_cast<uint16_t*>(w.raw());
      for (int64_t i = 0; i < w.elements(); ++i)
        bits[i] = static_cast<uint16_t>(0x2000 + (i * 7919) % 0x0800);
      const auto weights = std::make_shared<kernels::MatmulWeights>(std::vector{w});
      layers.push_back({name, weights});
      components["unet"].add(
          name + ".weight",
          {.shape = w.shape(),
           .read = [weights] { return weights->source(0).read(); },
           .write = [weights](const kernels::WeightSource& value) { weights->set(0, value); }});
      file["unet." + name + ".lora_A.weight"] = tiny_values({32, in}, 1);
      file["unet." + name + ".lora_B.weight"] = tiny_values({out, 32}, 2);
    };
    const auto add_transformer = [&](const std::string& at, int64_t c) {
      const std::string block = at + ".transformer_blocks.0.";
      add(at + ".proj_in", c, c);
      add(at + ".proj_out", c, c);
      for (const char* attention : {"attn1", "attn2"}) {
        const int64_t text = attention == std::string("attn1") ? c : 768;
        add(block + attention + ".to_q", c, c);
        add(block + attention + ".to_k", c, text);
        add(block + attention + ".to_v", c, text);
        add(block + attention + ".to_out.0", c, c);
      }
      add(block + "ff.net.0.proj", 8 * c, c);
      add(block + "ff.net.2", c, 4 * c);
    };
    const int64_t width[] = {320, 640, 1280, 1280};
    for (int level = 0; level < 4; ++level) {
      for (int i = 0; i < 2 && level < 3; ++i) {
        add_transformer(fmt::format("down_blocks.{}.attentions.{}", level, i), width[level]);
      }
      for (int i = 0; i < 3 && level < 3; ++i) {
        add_transformer(fmt::format("up_blocks.{}.attentions.{}", 3 - level, i), width[level]);
      }
    }
    add_transformer("mid_block.attentions.0", 1280);
    adapter = std::make_shared<const Adapter>(adapter_of(tiny_file(file).take()).take());
  }

  void use_all(kernels::Exec& ex, DType type) const {
    for (const Layer& layer : layers) {
      const Tensor x = Tensor::zeros({64, layer.weights->in_features()}, type);
      benchmark::DoNotOptimize(kernels::matmul(ex, x, *layer.weights).raw());
    }
  }
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void lora_on_and_off(benchmark::State& state, DType type) {
  static const Bench bench;
  AdapterStack stack(bench.components);
  kernels::Exec ex;
  bench.use_all(ex, type);
  double on = 0, off = 0, slide = 0, after_on = 0, after_off = 0;
  for (auto _ : state) {
    AdapterUse use{.adapter = bench.adapter};
    on += seconds_of([&] { stack.set(std::span(&use, 1), {.unet_type = type}); });
    after_on += seconds_of([&] { bench.use_all(ex, type); });
    use.unet_weight = 0.5;
    slide += seconds_of([&] { stack.set(std::span(&use, 1), {.unet_type = type}); });
    bench.use_all(ex, type);
    off += seconds_of([&] { stack.set({}); });
    after_off += seconds_of([&] { bench.use_all(ex, type); });
  }
  const auto mean = [&state](double seconds) {
    return benchmark::Counter(seconds / static_cast<double>(state.iterations()));
  };
  state.counters["set_on"] = mean(on);
  state.counters["next_use_on"] = mean(after_on);
  state.counters["set_other_weight"] = mean(slide);
  state.counters["set_off"] = mean(off);
  state.counters["next_use_off"] = mean(after_off);
}
BENCHMARK_CAPTURE(lora_on_and_off, bf16, DType::bf16)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK_CAPTURE(lora_on_and_off, f32, DType::f32)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace maquette::models

BENCHMARK_MAIN();
