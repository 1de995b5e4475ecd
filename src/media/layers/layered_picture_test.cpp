#include "media/layers/layered_picture.h"

#include <gtest/gtest.h>

#include "media/layers/sample_layers.h"

namespace maquette::media {
namespace {

IntegerPixels one_pixel(int bits, std::array<uint16_t, 4> rgba) {
  IntegerPixels pixels(1, 1, 4, bits);
  for (int c = 0; c < 4; ++c) pixels.set(0, 0, c, rgba[static_cast<size_t>(c)]);
  return pixels;
}

LayeredPicture two_pixels(BlendMode mode, double opacity) {
  LayeredPicture picture{.width = 1, .height = 1, .bits = 8};
  picture.layers.push_back({.name = "below", .pixels = one_pixel(8, {51, 102, 204, 255})});
  picture.layers.push_back(
      {.name = "above", .pixels = one_pixel(8, {204, 102, 51, 255}), .opacity = opacity, .blend = mode});
  return picture;
}

std::array<int, 4> only_pixel(const IntegerPixels& pixels) {
  return {pixels.at(0, 0, 0), pixels.at(0, 0, 1), pixels.at(0, 0, 2), pixels.at(0, 0, 3)};
}

TEST(IntegerPixels, BothDepthsPassThroughFloat) {
  for (const int bits : {8, 16}) {
    IntegerPixels pixels(1, 65536 / 4, 4, bits);
    for (int64_t i = 0; i < 65536; ++i)
      pixels.set(0, i / 4, static_cast<int>(i % 4), static_cast<uint16_t>(bits == 16 ? i : i % 256));
    EXPECT_EQ(rgba_pixels(to_image(pixels), bits), pixels) << bits;
  }
}

TEST(IntegerPixels, MoreBitsAreExact) {
  const IntegerPixels pixels = sample_pixels(5, 7, 8, 1, false);
  EXPECT_EQ(with_bits(with_bits(pixels, 16), 8), pixels);
  EXPECT_EQ(with_bits(pixels, 16).at(2, 3, 1), pixels.at(2, 3, 1) * 257);
}

// Worked out by hand from the formulas, with backdrop 0.2 0.4 0.8 and source 0.8 0.4 0.2.
TEST(Composite, BlendModes) {
  const std::vector<std::pair<BlendMode, std::array<int, 4>>> expected = {
      {BlendMode::normal, {204, 102, 51, 255}},       {BlendMode::multiply, {41, 41, 41, 255}},
      {BlendMode::screen, {214, 163, 214, 255}},      {BlendMode::overlay, {82, 82, 173, 255}},
      {BlendMode::darken, {51, 102, 51, 255}},        {BlendMode::lighten, {204, 102, 204, 255}},
      {BlendMode::color_dodge, {255, 170, 255, 255}}, {BlendMode::color_burn, {0, 0, 0, 255}},
      {BlendMode::hard_light, {173, 82, 82, 255}},    {BlendMode::difference, {153, 0, 153, 255}},
      {BlendMode::add, {255, 204, 255, 255}}};
  for (const auto& [mode, pixel] : expected)
    EXPECT_EQ(only_pixel(composite(two_pixels(mode, 1))), pixel) << name(mode);
}

TEST(Composite, OpacityMixes) {
  EXPECT_EQ(only_pixel(composite(two_pixels(BlendMode::normal, 0.25))),
            (std::array<int, 4>{89, 102, 166, 255}));
  LayeredPicture alone = two_pixels(BlendMode::normal, 0.5);
  alone.layers.erase(alone.layers.begin());
  EXPECT_EQ(only_pixel(composite(alone)), (std::array<int, 4>{204, 102, 51, 128}));
}

TEST(Composite, OnePixelOfAHiddenLayerShowsNothing) {
  LayeredPicture picture = two_pixels(BlendMode::normal, 1);
  picture.layers[1].visible = false;
  EXPECT_EQ(only_pixel(composite(picture)), (std::array<int, 4>{51, 102, 204, 255}));
}

TEST(Composite, MasksHideAndHaveTheirOwnPlace) {
  LayeredPicture picture{.width = 4, .height = 1, .bits = 16};
  Layer layer{.name = "a", .pixels = sample_pixels(1, 4, 16, 0, true)};
  IntegerPixels mask(1, 2, 1, 8);
  mask.set(0, 0, 0, 255);
  mask.set(0, 1, 0, 51);
  layer.mask = LayerMask{.pixels = mask, .x = 1};
  picture.layers.push_back(layer);
  const IntegerPixels merged = composite(picture);
  EXPECT_EQ(merged.at(0, 0, 3), 0);
  EXPECT_EQ(merged.at(0, 1, 3), 65535);
  EXPECT_EQ(merged.at(0, 2, 3), 13107);
  picture.layers[0].mask->shows_outside = true;
  EXPECT_EQ(composite(picture).at(0, 3, 3), 65535);
}

TEST(Composite, GroupsKeepToThemselvesUnlessTheyPassThrough) {
  LayeredPicture flat = two_pixels(BlendMode::multiply, 1);
  LayeredPicture grouped = flat;
  Layer group{.name = "g", .is_group = true};
  group.children.push_back(grouped.layers[1]);
  grouped.layers[1] = group;
  EXPECT_EQ(only_pixel(composite(grouped)), (std::array<int, 4>{204, 102, 51, 255}));
  grouped.layers[1].pass_through = true;
  EXPECT_EQ(composite(grouped), composite(flat));
}

TEST(Composite, CanvasesTallerThanOneBandAndLayersBeyondTheirEdges) {
  LayeredPicture picture{.width = 50, .height = 200, .bits = 16};
  const IntegerPixels pixels = sample_pixels(300, 90, 16, 1, true);
  picture.layers.push_back({.name = "big", .x = -20, .y = -60, .pixels = pixels});
  const IntegerPixels merged = composite(picture);
  for (const int64_t y : {0, 63, 64, 199}) EXPECT_EQ(merged.at(y, 49, 1), pixels.at(y + 60, 69, 1));
}

TEST(LayeredPicture, RefusesWhatNoFileCouldHold) {
  const auto refused = [](auto change) {
    LayeredPicture picture = sample_picture(8);
    change(picture);
    EXPECT_THROW(check_layers(picture), Error);
  };
  check_layers(sample_picture(8));
  refused([](LayeredPicture& p) { p.width = 0; });
  refused([](LayeredPicture& p) { p.bits = 12; });
  refused([](LayeredPicture& p) { p.height = 300'001; });
  refused([](LayeredPicture& p) { p.layers[0].name = "\xff"; });
  refused([](LayeredPicture& p) { p.layers[0].opacity = std::nan(""); });
  refused([](LayeredPicture& p) { p.layers[0].pixels = {}; });
  refused([](LayeredPicture& p) { p.layers[0].children = p.layers; });
  refused([](LayeredPicture& p) { p.layers[3].mask->pixels = p.layers[0].pixels; });
  refused([](LayeredPicture& p) { p.layers.resize(9000, p.layers[5].children[1].children[0]); });
  refused([](LayeredPicture& p) {
    for (int depth = 0; depth < 30; ++depth) {
      Layer group{.name = "g", .is_group = true};
      group.children = std::move(p.layers);
      p.layers = {group};
    }
  });
}

}  // namespace
}  // namespace maquette::media
