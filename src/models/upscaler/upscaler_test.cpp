// References: tools/golden/upscaler_networks.py (PyTorch) and, for the embedded network, TensorFlow.js (see
// docs/upscaler.md). 2e-5: float32 convolutions summed in another order.
#include "models/upscaler/upscaler.h"

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

#include "base/json.h"
#include "weights/weight_file.h"

namespace maquette::models {
namespace {

const std::filesystem::path kFolder = "tests/golden/upscaler";

Tensor read(const std::string& file, const std::string& name) {
  return weights::open_weight_file(kFolder / file).take()->read(name).take();
}

Tensor random_picture(int64_t batch, int64_t height, int64_t width) {
  Tensor picture = Tensor::empty({batch, 3, height, width});
  std::mt19937 random(7);
  for (float& value : picture.data()) value = static_cast<float>(random() % 1000) / 1000;
  return picture;
}

// Largest difference between two pictures.
double difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape().text(), b.shape().text());
  double largest = 0;
  for (int64_t i = 0; i < a.elements(); ++i) {
    const auto k = static_cast<size_t>(i);
    largest = std::max<double>(largest, std::abs(a.data()[k] - b.data()[k]));
  }
  return largest;
}

// The picture moved by whole pixels, across its edges.
Tensor rolled(const Tensor& t, int64_t dy, int64_t dx) {
  const int64_t height = t.size(2);
  const int64_t width = t.size(3);
  Tensor out = Tensor::empty(t.shape());
  for (int64_t plane = 0; plane < t.size(0) * t.size(1); ++plane) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const int64_t from = (plane * height + (y + dy) % height) * width + (x + dx) % width;
        out.data()[static_cast<size_t>((plane * height + y) * width + x)] =
            t.data()[static_cast<size_t>(from)];
      }
    }
  }
  return out;
}

TEST(Upscaler, every_published_layout_matches_the_reference) {
  const Json table = parse_json(read_text_file(kFolder / "networks.json").take(), "networks.json").take();
  ASSERT_GE(table.size(), 10u);
  for (const Json& entry : table) {
    const auto name = entry["name"].get<std::string>();
    SCOPED_TRACE(name);
    const Upscaler upscaler = Upscaler::load(kFolder / entry["file"].get<std::string>());
    EXPECT_EQ(upscaler.scale(), entry["scale"].get<int>());
    nn::Exec ex;
    const Tensor picture = read("networks.expected.safetensors", name + ".input");
    const Tensor expected = read("networks.expected.safetensors", name + ".output");
    const Tensor whole = upscaler(ex, picture);
    ASSERT_EQ(whole.shape().text(), expected.shape().text());
    EXPECT_LT(relative_error(whole, expected), 2e-5);
    EXPECT_LT(relative_error(upscale_tiled(ex, upscaler, picture, {.window = 1}), expected), 2e-5);
  }
}

TEST(Upscaler, the_embedded_network_matches_tensorflow) {
  const std::filesystem::path file =
      std::filesystem::path(MAQUETTE_BINARY_DIR) / "models/esrgan-thick-x4.safetensors";
  const std::filesystem::path usual = "build/models/esrgan-thick-x4.safetensors";
  if (!std::filesystem::exists(file) && !std::filesystem::exists(usual)) {
    GTEST_SKIP() << "scripts/fetch_upscaler has not run";
  }
  const Upscaler upscaler = Upscaler::load(std::filesystem::exists(usual) ? usual : file);
  EXPECT_EQ(upscaler.scale(), 4);
  EXPECT_EQ(upscaler.receptive_radius(), 1 + 150 + 1 + 2);
  nn::Exec ex;
  const Tensor picture = read("esrgan_thick_x4.safetensors", "input");
  const Tensor expected = read("esrgan_thick_x4.safetensors", "output");
  EXPECT_LT(relative_error(upscaler(ex, picture), expected), 2e-5);
}

TEST(Upscaler, windows_give_the_whole_picture_exactly) {
  for (const char* file :
       {"realesrgan_x4.safetensors", "realesrgan_x2.safetensors", "compact_x2.safetensors"}) {
    SCOPED_TRACE(file);
    const Upscaler upscaler = Upscaler::load(kFolder / file);
    nn::Exec ex;
    const Tensor picture = random_picture(1, 118, 150);
    const Tensor whole = upscaler(ex, picture);
    for (const int64_t window : {40, 64, 97}) {
      const Tensor cut = upscale_tiled(ex, upscaler, picture, {.window = window});
      EXPECT_EQ(std::memcmp(cut.raw(), whole.raw(), whole.bytes()), 0)
          << window << ": " << difference(cut, whole);
    }
  }
}

TEST(Upscaler, tiles_that_overlap_by_the_reach_are_exact) {
  const Upscaler upscaler = Upscaler::load(kFolder / "old_x2_grey.safetensors");
  const int reach = upscaler.receptive_radius();
  EXPECT_EQ(reach, 1 + 15 + 1 + 2);
  nn::Exec ex;
  const Tensor colours = random_picture(1, 100, 130);
  const Tensor picture = Tensor::from<float>({1, 1, 100, 130}, colours.data().first(13000));
  const Tensor whole = upscaler(ex, picture);
  const UpscaleOptions options{.tile = 72};
  const UpscalePlan plan = plan_upscale(ex, upscaler, picture.shape(), options);
  EXPECT_EQ(plan.tiles, 12);
  EXPECT_EQ(plan.overlap, reach);
  EXPECT_TRUE(plan.exact);
  const Tensor cut = upscale_tiled(ex, upscaler, picture, options);
  EXPECT_EQ(std::memcmp(cut.raw(), whole.raw(), whole.bytes()), 0) << difference(cut, whole);

  // Fewer pixels around a tile are visible, and the plan admits it.
  const UpscaleOptions narrow{.tile = 72, .overlap = 2};
  EXPECT_FALSE(plan_upscale(ex, upscaler, picture.shape(), narrow).exact);
  EXPECT_GT(difference(upscale_tiled(ex, upscaler, picture, narrow), whole), 1e-6);
}

TEST(Upscaler, textures_stay_seamless_through_windows_and_tiles) {
  const Upscaler upscaler = Upscaler::load(kFolder / "realesrgan_x4.safetensors");
  const Tensor picture = random_picture(1, 60, 96);
  for (const kernels::Wrap wrap :
       {kernels::Wrap{true, false}, kernels::Wrap{false, true}, kernels::Wrap{true, true}}) {
    SCOPED_TRACE(fmt::format("wrap x {} y {}", wrap.x, wrap.y));
    nn::Exec ex;
    ex.wrap = wrap;
    const Tensor whole = upscaler(ex, picture);
    EXPECT_LT(difference(upscale_tiled(ex, upscaler, picture, {.window = 40}), whole), 1e-5);
    EXPECT_LT(
        difference(upscale_tiled(ex, upscaler, picture, {.window = 40, .tile = 90, .overlap = 36}), whole),
        1e-5);
    EXPECT_EQ(ex.wrap.x, wrap.x);
    EXPECT_EQ(ex.wrap.y, wrap.y);

    // On a torus there is no first pixel: a moved picture gives the moved result.
    const int64_t dy = wrap.y ? 24 : 0;
    const int64_t dx = wrap.x ? 36 : 0;
    const Tensor moved = upscale_tiled(ex, upscaler, rolled(picture, dy, dx), {.window = 40});
    EXPECT_LT(difference(moved, rolled(whole, 4 * dy, 4 * dx)), 1e-5);
    nn::Exec plain;
    EXPECT_GT(difference(whole, upscaler(plain, picture)), 1e-4);
  }
}

TEST(Upscaler, keeps_to_the_memory) {
  const Upscaler upscaler = Upscaler::load(kFolder / "realesrgan_x4.safetensors");
  const Tensor picture = random_picture(1, 170, 150);
  nn::Exec whole;
  upscaler(whole, picture);
  nn::Exec cut;
  const UpscaleOptions options{.memory = size_t{10} << 20};
  const UpscalePlan plan = plan_upscale(cut, upscaler, picture.shape(), options);
  EXPECT_TRUE(plan.exact);
  upscale_tiled(cut, upscaler, picture, options);
  EXPECT_LT(cut.pool.bytes_held(), plan.peak_bytes * 5 / 4);
  EXPECT_GT(whole.pool.bytes_held(), 2 * cut.pool.bytes_held());

  const UpscalePlan tiny = plan_upscale(cut, upscaler, picture.shape(), {.memory = size_t{4} << 20});
  EXPECT_GT(tiny.tiles, 1);
}

TEST(Upscaler, reports_progress_and_stops) {
  const Upscaler upscaler = Upscaler::load(kFolder / "compact_x2.safetensors");
  nn::Exec ex;
  const Tensor picture = random_picture(1, 80, 60);
  std::vector<int> seen;
  int total = 0;
  upscale_tiled(ex, upscaler, picture, {.tile = 50, .progress = [&](const ProgressReport& report) {
                                          EXPECT_EQ(report.phase, "upscaling");
                                          seen.push_back(report.done);
                                          total = report.total;
                                          return true;
                                        }});
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.back(), total);

  int calls = 0;
  const auto stop = [&calls](const ProgressReport&) { return ++calls < 3; };
  try {
    upscale_tiled(ex, upscaler, picture, {.window = 40, .progress = stop});
    FAIL() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
  EXPECT_EQ(calls, 3);
}

TEST(Upscaler, refuses_what_it_cannot_do) {
  const Upscaler folding = Upscaler::load(kFolder / "realesrgan_x2_odd.pth");
  nn::Exec ex;
  ex.wrap.x = true;
  EXPECT_THROW(folding(ex, random_picture(1, 20, 21)), Error);
  EXPECT_THROW(upscale_tiled(ex, folding, random_picture(1, 20, 21)), Error);
  EXPECT_NO_THROW(folding(ex, random_picture(1, 21, 20)));
  EXPECT_THROW(folding(ex, Tensor::zeros({1, 4, 20, 20})), Error);
  EXPECT_THROW(Upscaler::load(kFolder / "networks.expected.safetensors"), Error);
  EXPECT_THROW(Upscaler::load(kFolder / "missing.safetensors"), Error);
}

// The network with some tensors under other names, or missing where the new name is empty.
Upscaler load_changed(const std::string& file, const std::map<std::string, std::string>& changes) {
  const auto source = weights::open_weight_file(kFolder / file).take();
  weights::WeightMap map;
  for (const weights::TensorInfo& info : source->tensors()) {
    const auto change = changes.find(info.name);
    const std::string from = change == changes.end() ? info.name : change->second;
    if (!from.empty()) map.add(info.name, {.file = source, .name = from});
  }
  nn::Parameters parameters;
  return Upscaler::load(nn::Scope(weights::WeightScope(map), parameters));
}

TEST(Upscaler, refuses_tensors_that_do_not_fit_each_other) {
  int refused = 0;
  for (const char* file : {"realesrgan_x4.safetensors", "old_x8.safetensors", "thick_x4.safetensors",
                           "compact_x2.safetensors"}) {
    const auto source = weights::open_weight_file(kFolder / file).take();
    for (const weights::TensorInfo& broken : source->tensors()) {
      std::set<std::string> shapes{broken.shape.text()};  // one replacement of each other shape
      for (const weights::TensorInfo& other : source->tensors()) {
        if (!shapes.insert(other.shape.text()).second) continue;
        // What is not refused must be a network all the same: it runs, and enlarges by what it says.
        try {
          const Upscaler upscaler = load_changed(file, {{broken.name, other.name}});
          nn::Exec ex;
          const Tensor result = upscaler(ex, Tensor::zeros({1, upscaler.channels(), 4, 4}));
          EXPECT_EQ(result.size(2), 4 * upscaler.scale()) << broken.name << " from " << other.name;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::weights);
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 500);
  for (const char* missing :
       {"body.1.rdb2.conv5.weight", "conv_body.weight", "conv_hr.weight", "conv_last.weight"}) {
    EXPECT_THROW(load_changed("realesrgan_x4.safetensors", {{missing, ""}}), Error) << missing;
  }
}

TEST(Upscaler, computes_in_bf16) {
  const Upscaler upscaler = Upscaler::load(kFolder / "realesrgan_x4.safetensors");
  nn::Exec ex;
  ex.activations = DType::bf16;
  const Tensor expected = read("networks.expected.safetensors", "realesrgan_x4.output");
  const Tensor picture = read("networks.expected.safetensors", "realesrgan_x4.input");
  EXPECT_LT(relative_error(upscale_tiled(ex, upscaler, picture), expected), 0.03);
}

TEST(AxisWindows, cover_every_pixel_once_with_context) {
  for (const bool wraps : {false, true}) {
    for (const int radius : {1, 5, 17}) {
      for (int64_t size = 1; size < 400; size += 7) {
        const AxisWindows axis = cut_axis(size, 64, radius, wraps);
        int64_t next = 0;
        for (const AxisWindows::Part& part : axis.parts) {
          EXPECT_EQ(part.begin, next);
          EXPECT_GT(part.end, part.begin);
          EXPECT_EQ(part.start % kTileAlignment, 0);
          const int64_t before = part.begin - part.start;
          const int64_t after = part.start + axis.window - part.end;
          if (axis.parts.size() > 1) {
            EXPECT_TRUE(before >= radius || (!wraps && part.begin == 0 && before == 0)) << size;
            EXPECT_TRUE(after >= radius || (!wraps && part.end == size && after == 0)) << size;
          }
          next = part.end;
        }
        EXPECT_EQ(next, size);
      }
    }
  }
}

}  // namespace
}  // namespace maquette::models
