// Measures the filing of a take: a picture file in the studio's spool becomes a file of the store with its
// thumbnail, a row and an event, each safe on the disk. The pictures have soft shapes and grain, so that PNG
// does with them what it does with painted backgrounds.
//
//   filing [FOLDER] [--db postgresql://...] [--takes 60] [--size 1024] [--bits 8|16]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

#include "app/studio/operation.h"
#include "app/studio/studio.h"
#include "base/identifiers.h"
#include "base/text.h"
#include "media/image_io.h"

namespace maquette::bench {
namespace {

media::Image background(int64_t side, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> grain(0.0F, 0.01F);
  const float phase = static_cast<float>(random() % 1000) / 100;
  media::Image picture = media::Image::zeros(side, side, 3);
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      const float u = static_cast<float>(x) / static_cast<float>(side);
      const float v = static_cast<float>(y) / static_cast<float>(side);
      const float hills = 0.1F * std::sin(9 * u + phase) + 0.05F * std::sin(23 * u + 2 * phase);
      const float sky = v < 0.6F + hills ? 0.4F + 0.5F * v : 0.2F + 0.1F * std::sin(40 * u * v + phase);
      for (int64_t c = 0; c < 3; ++c)
        picture.at(y, x, c) =
            std::clamp(sky * (0.6F + 0.2F * static_cast<float>(c)) + grain(random), 0.0F, 1.0F);
    }
  }
  return picture;
}

app::Reply run(app::Studio& studio, const production::Caller& caller, std::string_view name, Json arguments,
               std::optional<app::Upload> upload = {}) {
  app::Call call{studio, caller, std::move(arguments), std::move(upload)};
  return app::run_operation(*app::find_operation(name), call);
}

int measure(const std::vector<std::string>& arguments) {
  app::StudioOptions options{.folder = "build/bench/filing"};
  int64_t takes = 60, side = 1024;
  int bits = 8;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto value = [&] { return i + 1 < arguments.size() ? arguments[++i] : std::string(); };
    const auto number = [&](int64_t otherwise) { return parse_integer(value()).value_or(otherwise); };
    if (arguments[i] == "--db")
      options.database = value();
    else if (arguments[i] == "--takes")
      takes = number(takes);
    else if (arguments[i] == "--size")
      side = number(side);
    else if (arguments[i] == "--bits")
      bits = static_cast<int>(number(bits));
    else
      options.folder = arguments[i];
  }
  app::Studio studio(options);
  const production::Caller caller = app::local_caller(studio);
  const std::string show = "filing" + lower_hex(random_bytes(4));
  run(studio, caller, "show create", {{"code", show}, {"name", "Filing"}});
  run(studio, caller, "shot create", {{"show", show}, {"code", "sh010"}});
  run(studio, caller, "task create", {{"entity", show + "/sh010"}, {"task_type", "background"}});

  std::vector<double> times;
  int64_t bytes = 0;
  for (int64_t take = 0; take < takes; ++take) {
    const fs::path file = studio.spool() / fmt::format("filing_{}.png", take);
    fs::create_directories(file.parent_path());
    media::write_image(file, background(side, static_cast<uint64_t>(take)), {.bits = bits});
    bytes += static_cast<int64_t>(fs::file_size(file));
    const auto begin = std::chrono::steady_clock::now();
    run(studio, caller, "take import", {{"task", show + "/sh010:background"}},
        app::Upload{file, "picture.png", "image/png"});
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(times);
  fmt::print(
      "{} takes of {} x {}, {} bits, {:.1f} MB each: median {:.1f} ms, 95th percentile {:.1f} ms, longest "
      "{:.1f} ms\n",
      takes, side, side, bits, static_cast<double>(bytes) / static_cast<double>(takes) / 1e6,
      times[times.size() / 2], times[times.size() * 95 / 100], times.back());
  return 0;
}

}  // namespace
}  // namespace maquette::bench

int main(int argc, char** argv) try {
  return maquette::bench::measure(std::vector<std::string>(argv + 1, argv + argc));
} catch (const maquette::Error& error) {
  fmt::print(stderr, "{}\n", error.message());
  return 1;
}
