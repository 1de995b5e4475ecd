// Writes one file of every delivery format into build/PRESET/delivery, with the picture that each must show,
// for tools/check_delivery to look at with other programs.
#include <gtest/gtest.h>

#include "media/exr_delivery.h"
#include "media/image_io.h"
#include "media/layers/openraster.h"
#include "media/layers/psd.h"
#include "media/layers/sample_layers.h"
#include "media/pdf/pdf_sheets.h"

namespace maquette::media {
namespace {

fs::path folder() {
  fs::path path = fs::path(MAQUETTE_BINARY_DIR) / "delivery";
  fs::create_directories(path);
  return path;
}

void write_layers(const std::string& name, const LayeredPicture& picture) {
  write_psd(folder() / (name + (needs_psb(picture) ? ".psb" : ".psd")), picture);
  write_openraster(folder() / (name + ".ora"), picture);
  write_image(folder() / (name + ".png"), to_image(composite(picture)), {.bits = picture.bits});
}

LayeredPicture large_picture() {
  LayeredPicture picture{.width = 30'001, .height = 8};
  picture.layers.push_back({.name = "Panorama", .pixels = sample_pixels(8, 30'001, 8, 0, true)});
  picture.layers.push_back({.name = "Cloud",
                            .x = 20'000,
                            .y = 1,
                            .pixels = sample_pixels(6, 300, 8, 1, false),
                            .mask = sample_mask(6, 9, 8)});
  return picture;
}

TEST(DeliverySamples, LayeredFiles) {
  write_layers("layers8", sample_picture(8));
  write_layers("layers16", sample_picture(16));
  write_layers("clear8", sample_picture(8, false));
  write_layers("clear16", sample_picture(16, false));
  write_layers("large", large_picture());
  write_layers("small", sample_picture(8));
  fs::remove(folder() / "small.psd");
  write_psd(folder() / "small.psb", sample_picture(8));
  EXPECT_TRUE(fs::exists(folder() / "large.psb"));
}

TEST(DeliverySamples, FlatFiles) {
  const Image picture = to_rgb(to_image(sample_pixels(72, 96, 16, 0, true)));
  write_image(folder() / "flat.png", picture, {.bits = 16, .tag_srgb = true});
  write_image(folder() / "flat.tif", picture, {.bits = 16, .tag_srgb = true});
  const Overscan overscan{.left = 8, .top = 4, .right = 8, .bottom = 4};
  write_exr_delivery(folder() / "flat.exr", picture, {.overscan = overscan});
  write_exr_delivery(folder() / "flat_rec709.exr", picture, {.to = "lin_rec709"});
  EXPECT_TRUE(fs::exists(folder() / "flat.exr"));
}

TEST(DeliverySamples, Sheets) {
  const Image8 picture = to_8bit(to_rgb(to_image(sample_pixels(72, 96, 8, 1, true))));
  ContactPdf contact{
      .options = {.title = "Lanterns — propositions", .subtitle = "sq010", .footer = "Atelier Œuvre"},
      .columns = 3,
      .rows = 2};
  for (int i = 0; i < 8; ++i) {
    contact.pictures.push_back({.picture = picture,
                                .caption = {.title = fmt::format("sh0{}0 v003 t02", i),
                                            .lines = {"a lantern street, dusk", "seed 42"}}});
  }
  write_file_atomically(folder() / "contact.pdf", contact_sheet_pdf(contact));
  ReviewPdf review{.options = {.title = "Revue — séquence 010"}};
  const PdfDrawing circle{.points = {{0.3, 0.3}, {0.5, 0.2}, {0.6, 0.4}, {0.4, 0.5}, {0.3, 0.3}}};
  review.pictures.push_back(
      {.picture = picture,
       .caption = {.title = "sh010 v003 t02", .lines = {"seed 42"}},
       .notes = {
           {.author = "Zoë Müller",
            .when = "2026-11-23 19:40",
            .verdict = "Retake",
            .text = "Le réverbère est trop clair.\nČeština, Ελληνικά, Кириллица: all of it must be legible.",
            .drawings = {circle}},
           {.author = "Ben",
            .text = "Fine otherwise.",
            .drawings = {{.points = {{0.8, 0.8}}, .color = {0, 1, 1}}}}}});
  write_file_atomically(folder() / "review.pdf", review_sheet_pdf(review));
  EXPECT_TRUE(fs::exists(folder() / "review.pdf"));
}

}  // namespace
}  // namespace maquette::media
