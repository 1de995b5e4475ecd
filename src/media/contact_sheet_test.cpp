#include "media/contact_sheet.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "media/golden_array.h"
#include "media/lettering.h"

namespace maquette::media {
namespace {

double ink(const Image& image) {
  double sum = 0;
  for (const float v : image.data()) sum += v;
  return sum;
}

Image drawn(const std::string& text, const Pen& pen) {
  Image image = Image::zeros(40, 200, 1);
  draw_text(image, text, pen);
  return image;
}

TEST(Lettering, ink_stays_where_the_width_says) {
  for (const std::string text : {"Seed 419200", "Ångström × ½", "l.i'|", "MW@%"}) {
    const double width = text_width(text, 20);
    const Image image = drawn(text, {10, 26, 20, 1});
    for (int64_t y = 0; y < 40; ++y) {
      for (int64_t x = 0; x < 200; ++x) {
        const bool inside = static_cast<double>(x) >= 9 && static_cast<double>(x) <= 10 + width + 1;
        EXPECT_TRUE(inside || image.at(y, x) == 0) << text << " at " << x << ", " << y;
      }
    }
    EXPECT_GT(ink(image), 20) << text;
  }
  EXPECT_EQ(text_width("", 20), 0);
}

TEST(Lettering, every_ascii_character_has_its_own_shape) {
  std::vector<std::vector<float>> shapes;
  for (char c = ' '; c <= '~'; ++c) {
    const Image image = drawn(std::string(1, c), {10, 26, 24, 1});
    shapes.emplace_back(image.data().begin(), image.data().end());
  }
  const Image box = drawn("塔", {10, 26, 24, 1});
  shapes.emplace_back(box.data().begin(), box.data().end());
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (size_t j = 0; j < i; ++j)
      EXPECT_FALSE(shapes[i] == shapes[j]) << char(' ' + i) << " and " << char(' ' + j);
  }
}

TEST(Lettering, accents_are_set_on_their_letters) {
  for (const auto& [accented, base] : {std::pair("é", "e"), std::pair("Å", "A"), std::pair("ç", "c")}) {
    const Image with = drawn(accented, {10, 30, 24, 1});
    const Image without = drawn(base, {10, 30, 24, 1});
    EXPECT_EQ(text_width(accented, 24), text_width(base, 24));
    EXPECT_GT(ink(with), ink(without));
    for (size_t i = 0; i < with.data().size(); ++i) EXPECT_GE(with.data()[i], without.data()[i]);
  }
}

TEST(Lettering, drawing_past_the_border_is_cut_off) {
  for (const Pen& pen : {Pen{-500, 20, 20, 1}, Pen{190, 20, 20, 1}, Pen{0, -100, 20, 1}, Pen{0, 39, 60, 1}}) {
    EXPECT_NO_THROW(drawn("cut off", pen));
  }
}

TEST(WrapText, lines_fit_and_lose_nothing_but_spaces) {
  const std::string text = "a tower at dusk, antidisestablishmentarianism and fog\nsecond line";
  const std::vector<std::string> lines = wrap_text(text, {16, 120, 100});
  std::string joined;
  for (const std::string& line : lines) {
    EXPECT_LE(text_width(line, 16), 120) << line;
    joined += line;
  }
  std::string letters = text;
  for (std::string* s : {&letters, &joined}) std::erase_if(*s, [](char c) { return c == ' ' || c == '\n'; });
  EXPECT_EQ(joined, letters);
  EXPECT_EQ(lines.back(), "second line");

  const std::vector<std::string> cut = wrap_text(text, {16, 120, 2});
  ASSERT_EQ(cut.size(), 2u);
  EXPECT_TRUE(cut[1].ends_with("..."));
  EXPECT_LE(text_width(cut[1], 16), 120);
  EXPECT_TRUE(wrap_text("", {16, 120, 2}).empty());
  EXPECT_TRUE(wrap_text("x", {16, 120, 0}).empty());
  EXPECT_FALSE(wrap_text("塔塔塔塔塔", {16, 20, 3}).empty());
}

std::vector<ContactPicture> proposals(size_t count) {
  std::vector<ContactPicture> pictures;
  const Image8 picture = golden_image8("resize/source_3");
  for (size_t i = 0; i < count; ++i) {
    pictures.push_back(
        {picture, fmt::format("seed {}", i), {"20 steps, Euler a, CFG 7, a rather long line of settings"}});
  }
  return pictures;
}

// The picture stands on the sheet unchanged, `times` times.
int64_t occurrences(const Image8& sheet, const Image8& picture) {
  int64_t found = 0;
  for (int64_t y = 0; y + picture.height() <= sheet.height(); ++y) {
    for (int64_t x = 0; x + picture.width() <= sheet.width(); ++x) {
      bool same = true;
      for (int64_t row = 0; row < picture.height() && same; ++row) {
        const auto part = sheet.row(y + row).subspan(static_cast<size_t>(x * 3), picture.row(row).size());
        same = std::ranges::equal(part, picture.row(row));
      }
      found += same;
    }
  }
  return found;
}

TEST(ContactSheet, shows_every_picture_with_its_caption) {
  for (const size_t count : {1, 4, 5}) {
    const std::vector<ContactPicture> pictures = proposals(count);
    const Image8 sheet = contact_sheet(pictures, {.title = "A brief", .subtitle = "settings"});
    EXPECT_EQ(occurrences(sheet, pictures[0].picture), static_cast<int64_t>(count));
    std::vector<ContactPicture> silent = pictures;
    for (ContactPicture& p : silent) p.title.clear(), p.notes.clear();
    EXPECT_LT(contact_sheet(silent, {.title = "A brief", .subtitle = "settings"}).height(), sheet.height());
    EXPECT_EQ(level_difference(contact_sheet(pictures, {.title = "A brief", .subtitle = "settings"}), sheet),
              0);
  }
}

TEST(ContactSheet, columns_and_sizes_are_obeyed) {
  const Image8 row = contact_sheet(proposals(4), {.columns = 4});
  const Image8 column = contact_sheet(proposals(4), {.columns = 1});
  EXPECT_GT(row.width(), 2 * row.height());
  EXPECT_GT(column.height(), 2 * column.width());
  std::vector<ContactPicture> mixed = proposals(2);
  mixed[1].picture = Image8::zeros(1500, 900, 4);
  const Image8 sheet = contact_sheet(mixed, {.columns = 2, .largest_side = 100});
  EXPECT_LT(sheet.width(), 400);
  EXPECT_THROW(contact_sheet({}), Error);
}

TEST(ContactSheet, of_reduced_pictures_is_the_same) {
  Image8 picture = Image8::zeros(90, 200, 3);
  for (size_t i = 0; i < picture.data().size(); ++i) picture.data()[i] = static_cast<uint8_t>(i * 7);
  const std::vector<ContactPicture> whole = {{.picture = picture, .title = "a"}};
  const std::vector<ContactPicture> small = {{.picture = reduced_for_sheet(picture, 130), .title = "a"}};
  const Image8 a = contact_sheet(whole, {.largest_side = 130}),
               b = contact_sheet(small, {.largest_side = 130});
  EXPECT_TRUE(std::ranges::equal(a.data(), b.data()));
}

TEST(ContactSheet, holds_a_thousand_pictures) {
  std::vector<ContactPicture> pictures(1000, {.picture = Image8::zeros(8, 12, 3), .title = "a"});
  EXPECT_GT(contact_sheet(pictures).width(), 0);
  pictures.push_back(pictures.front());
  EXPECT_THROW(contact_sheet(pictures), Error);
}

}  // namespace
}  // namespace maquette::media
