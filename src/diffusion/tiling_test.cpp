// Textures: a network whose edges are joined does not know where the picture begins. Moving its input around
// the torus must move its output by as much and change nothing else, on each axis, in every stage: UNet, VAE
// both ways, upscaler, and the enlarging between two passes. Moves are multiples of what the stage shrinks
// by.
#include <gtest/gtest.h>

#include "diffusion/hires.h"
#include "diffusion/tiled_vae.h"
#include "diffusion/tiles.h"
#include "models/golden_case.h"
#include "models/upscaler/upscaler.h"

namespace maquette::diffusion {
namespace {

// 1e-5: f32 sums in another order. A missing wrap in a single layer shows at 1e-2 and more.
constexpr double kTolerance = 1e-5;

Tensor rolled(const Tensor& x, int64_t down, int64_t right) {
  const TileSpan rows{.begin = x.size(2) - down, .size = x.size(2)};
  const TileSpan columns{.begin = x.size(3) - right, .size = x.size(3)};
  return cut_tile(x, rows, columns);
}

Tensor noise(const Shape& shape, float scale = 1) {
  Tensor x = Tensor::empty(shape);
  sampling::make_generator(sampling::RandomKind::torch_cpu, 5)->normal(x.data());
  for (float& v : x.data()) v *= scale;
  return x;
}

struct Axis {
  bool x = false, y = false;
};
constexpr Axis kAxes[] = {{true, false}, {false, true}, {true, true}};

// `stage` must commute with moving by `step` input pixels, which are `scale` output pixels each (or 1 /
// -scale).
template <typename Stage>
void expect_commutes(const char* what, const Tensor& input, int64_t step, int scale, const Stage& stage) {
  for (const Axis& axis : kAxes) {
    kernels::Exec ex;
    ex.wrap = {.x = axis.x, .y = axis.y};
    const int64_t down = axis.y ? step : 0;
    const int64_t right = axis.x ? 2 * step : 0;
    const auto moved = [scale](int64_t by) { return scale > 0 ? by * scale : by / -scale; };
    const Tensor expected = rolled(stage(ex, input), moved(down), moved(right));
    const Tensor found = stage(ex, rolled(input, down, right));
    EXPECT_LT(models::l2_error(found, expected), kTolerance)
        << what << (axis.x ? " x" : "") << (axis.y ? " y" : "");
  }
}

TEST(Tiling, networks_do_not_know_where_a_texture_begins) {
  for (const char* name : {"tests/golden/pipelines/models/sd1", "tests/golden/pipelines/models/sdxl"}) {
    const auto model = load_model(name, {});
    const nn::CrossContext text(noise({1, 7, model->unet->context_width()}));
    const Tensor latent = noise({1, 4, 16, 24});
    expect_commutes(name, latent, 8, 1, [&](kernels::Exec& ex, const Tensor& x) {
      models::UNetInput input{.latent = x, .timesteps = {500}, .text = &text};
      if (model->unet->added_width() > 0) input.added = Tensor::full({1, model->unet->added_width()}, 0.1f);
      return (*model->unet)(ex, input);
    });
    const models::Vae& vae = *model->codec->vae();
    expect_commutes("decode", noise({1, 4, 8, 12}), 1, vae.factor(),
                    [&](kernels::Exec& ex, const Tensor& x) { return vae.decode(ex, x); });
    expect_commutes("encode", noise({1, 3, 64, 96}, 0.5f), vae.factor(), -vae.factor(),
                    [&](kernels::Exec& ex, const Tensor& x) { return vae.encode(ex, x).mean; });
  }
}

TEST(Tiling, upscalers_do_not_either) {
  const models::Upscaler upscaler = models::Upscaler::load("tests/golden/upscaler/esrgan_x4.pth");
  expect_commutes("upscaler", noise({1, 3, 20, 28}, 0.2f), 3, 4, [&](kernels::Exec& ex, const Tensor& x) {
    return models::upscale_tiled(ex, upscaler, x, {});
  });
}

// Each cell of the grid of tiles has the same place in its tile when the move is a whole number of strides.
TEST(Tiling, tiles_of_the_vae_reach_over_the_edges) {
  const auto model = load_model("tests/golden/pipelines/models/sd1", {});
  const models::Vae& vae = *model->codec->vae();
  const TileOptions options{.tile = 16, .overlap = 8, .progress = {}};
  expect_commutes("tiled decode", noise({1, 4, 24, 32}), 8, vae.factor(),
                  [&](kernels::Exec& ex, const Tensor& x) { return decode_tiled(ex, vae, x, options); });
}

TEST(Tiling, weights_of_tiles_cover_everything) {
  for (const bool wraps : {false, true}) {
    for (const int64_t length : {17, 24, 32, 45}) {
      std::vector<float> sum(static_cast<size_t>(length), 0);
      for (const TileSpan& span : plan_tiles(length, 16, 8, wraps)) {
        for (int64_t i = 0; i < span.size; ++i)
          sum[static_cast<size_t>((span.begin + i) % length)] += span.weight(i);
      }
      // Uneven strides let three tiles meet, most of all on an axis that wraps: the canvas divides by what
      // there is.
      for (const float w : sum) EXPECT_NEAR(w, 1, wraps ? 0.6 : 0.02);
    }
  }
  for (const TileSpan& span : plan_tiles(32, 16, 8, true)) {
    EXPECT_EQ(span.fade_in, 8);
    EXPECT_EQ(span.fade_out, 8);
  }
}

TEST(Tiling, enlarging_joins_the_edges) {
  const Tensor picture = noise({1, 3, 32, 48}, 0.3f);
  Recipe recipe;
  recipe.hires.scale = 1.5;
  recipe.tile_x = recipe.tile_y = true;
  const PictureInput first{.height = 32, .width = 48};
  const media::Image a = enlarged(first, picture, recipe, 8).init;
  const media::Image b = enlarged(first, rolled(picture, 16, 16), recipe, 8).init;
  const Tensor moved = rolled(media::to_unit_tensor(a), 24, 24);
  EXPECT_LT(models::l2_error(media::to_unit_tensor(b), moved), 1e-6);
}

}  // namespace
}  // namespace maquette::diffusion
