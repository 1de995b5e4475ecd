// Filing a take: its thumbnail from the file's bytes, and the parts of that.
#include <benchmark/benchmark.h>

#include "media/thumbnail.h"

namespace maquette::media {
namespace {

// Smooth shapes with grain, as painted pictures have.
Image8 painted(int64_t side) {
  Image8 image = Image8::zeros(side, side, 3);
  uint32_t state = 7;
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        state = state * 1664525u + 1013904223u;
        image.at(y, x, c) = static_cast<uint8_t>((x + y * (c + 1)) / 16 % 240 + (state >> 28));
      }
    }
  }
  return image;
}

void thumbnail_of_file(benchmark::State& state) {
  const std::string file = encode_image(to_float(painted(state.range(0))), ImageFormat::png,
                                        {.bits = static_cast<int>(state.range(1))});
  for (auto _ : state) benchmark::DoNotOptimize(make_thumbnail(as_bytes(file)).take());
  state.counters["file_bytes"] = static_cast<double>(file.size());
}
BENCHMARK(thumbnail_of_file)->ArgsProduct({{512, 1024, 2048}, {8, 16}})->Unit(benchmark::kMillisecond);

void thumbnail_of_pixels(benchmark::State& state) {
  const Image8 picture = painted(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(make_thumbnail(picture));
}
BENCHMARK(thumbnail_of_pixels)->Arg(512)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maquette::media

BENCHMARK_MAIN();
