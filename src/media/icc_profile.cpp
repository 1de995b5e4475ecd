// ICC.1:2004-10 (profile version 4.2), "Three-component matrix-based display profile": header, tag table, and
// the tags desc, cprt, wtpt, chad, rXYZ, gXYZ, bXYZ, rTRC, gTRC, bTRC. The primaries are those of IEC
// 61966-2-1, adapted from D65 to the profile connection space's D50 with the Bradford matrix, which stands in
// chad.
#include "media/icc_profile.h"

#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "media/bytes.h"

namespace maquette::media {

namespace {

using Triple = std::array<double, 3>;

constexpr Triple kD50 = {0.9642, 1.0, 0.8249};
constexpr Triple kRed = {0.43607, 0.22249, 0.01392};
constexpr Triple kGreen = {0.38515, 0.71687, 0.09708};
constexpr Triple kBlue = {0.14307, 0.06061, 0.71410};
// D65 to D50, Bradford.
constexpr std::array<double, 9> kAdaptation = {1.04788,  0.02292,  -0.05020, 0.02958, 0.99048,
                                               -0.01707, -0.00925, 0.01507,  0.75168};
// Parametric curve 3: Y = (a X + b)^g for X >= d, c X below.
constexpr std::array<double, 5> kCurve = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};

void append_fixed(std::string& out, double value) {  // s15Fixed16
  append_number(out, static_cast<uint32_t>(static_cast<int32_t>(std::lround(value * 65536))), Endian::big);
}

template <size_t N>
std::string fixed_array(std::string_view type, const std::array<double, N>& values) {
  std::string out(type);
  out.append(4, '\0');
  for (const double value : values) append_fixed(out, value);
  return out;
}

std::string curve() {
  std::string out("para");
  out.append(4, '\0');
  append_number(out, uint16_t{3}, Endian::big);
  append_number(out, uint16_t{0}, Endian::big);
  for (const double value : kCurve) append_fixed(out, value);
  return out;
}

// multiLocalizedUnicodeType with one text, in English.
std::string localized(std::string_view ascii) {
  std::string out("mluc");
  out.append(4, '\0');
  for (const uint32_t value : {1u, 12u}) append_number(out, value, Endian::big);
  out += "enUS";
  append_number(out, static_cast<uint32_t>(ascii.size() * 2), Endian::big);
  append_number(out, uint32_t{28}, Endian::big);
  for (const char c : ascii) {
    out += '\0';
    out += c;
  }
  return out;
}

struct Tag {
  std::string_view name;
  std::string data;
};

std::string header(size_t size) {
  std::string out;
  append_number(out, static_cast<uint32_t>(size), Endian::big);
  out.append(4, '\0');
  append_number(out, uint32_t{0x04200000}, Endian::big);
  out += "mntrRGB XYZ ";
  for (const uint16_t part : {2026, 1, 1, 0, 0, 0}) append_number(out, part, Endian::big);
  out += "acsp";
  out.append(128 - 40 - 60, '\0');  // platform to rendering intent (perceptual)
  for (const double value : kD50) append_fixed(out, value);
  out.resize(128, '\0');
  return out;
}

std::string build() {
  const std::vector<Tag> tags = {
      {"desc", localized("sRGB IEC61966-2.1")}, {"cprt", localized("No copyright, use freely")},
      {"wtpt", fixed_array("XYZ ", kD50)},      {"chad", fixed_array("sf32", kAdaptation)},
      {"rXYZ", fixed_array("XYZ ", kRed)},      {"gXYZ", fixed_array("XYZ ", kGreen)},
      {"bXYZ", fixed_array("XYZ ", kBlue)},     {"rTRC", curve()}};
  std::string table;
  std::string data;
  const size_t count = tags.size() + 2;  // the three curves share their data
  const size_t begin = 128 + 4 + count * 12;
  const auto list = [&](std::string_view name, size_t offset, size_t size) {
    table += name;
    append_number(table, static_cast<uint32_t>(offset), Endian::big);
    append_number(table, static_cast<uint32_t>(size), Endian::big);
  };
  for (const Tag& tag : tags) {
    const size_t offset = begin + data.size();
    list(tag.name, offset, tag.data.size());
    if (tag.name == "rTRC") {
      list("gTRC", offset, tag.data.size());
      list("bTRC", offset, tag.data.size());
    }
    data += tag.data;
    data.resize((data.size() + 3) / 4 * 4, '\0');
  }
  std::string profile = header(begin + data.size());
  append_number(profile, static_cast<uint32_t>(count), Endian::big);
  return profile + table + data;
}

}  // namespace

const std::string& srgb_icc_profile() {
  static const std::string profile = build();
  return profile;
}

}  // namespace maquette::media
