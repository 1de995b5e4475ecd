// The alphabet of lettering.h: every character as pen strokes.
//
// A glyph is a set of strokes on a grid: x from 0, y with the baseline at 3, the height of small letters at
// 9, capitals at c (12), descenders at 0. A stroke is a row of points, two hexadecimal digits each (x, y);
// "~" in front of a point makes it the control point of a quadratic Bezier curve between its neighbours. A
// stroke of one point is a dot.
#pragma once

#include <string_view>

namespace maquette::media {

struct Glyph {
  char32_t character;
  int width;
  std::string_view strokes;
};

inline constexpr Glyph kGlyphs[] = {
    {U' ', 2, ""},
    {U'!', 0, "0c06 03"},
    {U'"', 2, "0c09 2c29"},
    {U'#', 7, "233c 536c 0676 0979"},
    {U'$', 6, "6a~5c3c~0c0a~0838~6866~6333~1305 3d32"},
    {U'%', 7, "037c 0b~0c1c~2c2b~2a1a~0a0b 54~5565~7574~7363~5354"},
    {U'&', 7, "7329~1c3c~5c4a16~0333~6377"},
    {U'\'', 0, "0c09"},
    {U'(', 2, "2d~0a07~0421"},
    {U')', 2, "0d~2a27~2401"},
    {U'*', 4, "2c28 0b49 094b"},
    {U'+', 6, "0767 3a34"},
    {U',', 1, "1301"},
    {U'-', 4, "0747"},
    {U'.', 0, "03"},
    {U'/', 4, "014d"},
    {U'0', 6, "0807~0333~636768~6c3c~0c08"},
    {U'1', 6, "1a3c33"},
    {U'2', 6, "0a~0c3c~6c6a~68360363"},
    {U'3', 6, "0b~1c3c~6c6a~6838 2838~6866~6333~1304"},
    {U'4', 6, "434c0565"},
    {U'5', 6, "5c1c0838~6866~6333~1304"},
    {U'6', 6, "5c~0b06~0333~6366~6939~0906"},
    {U'7', 6, "0c6c23"},
    {U'8', 6, "1a~1c3c~5c5a~5838~181a 38~0806~0333~6366~6838"},
    {U'9', 6, "13~6469~6c3c~0c09~0636~6669"},
    {U':', 0, "03 08"},
    {U';', 1, "1301 18"},
    {U'<', 6, "6a0764"},
    {U'=', 6, "0565 0969"},
    {U'>', 6, "0a6704"},
    {U'?', 5, "0a~0c3c~5c5a~583635 33"},
    {U'@', 8, "74~6343~0307~0c4c~8c88~8575~656669 67~6949~2927~2545~6567"},
    {U'A', 6, "033c63 1656"},
    {U'B', 7, "030c3c~6c6a~683808 3848~7876~734303"},
    {U'C', 7, "7a~6c4c~0c0807~0343~6375"},
    {U'D', 7, "030c3c~7c7877~733303"},
    {U'E', 6, "6c0c0363 0858"},
    {U'F', 6, "6c0c03 0858"},
    {U'G', 7, "7a~6c4c~0c0807~0343~73767747"},
    {U'H', 7, "0c03 7c73 0878"},
    {U'I', 0, "0c03"},
    {U'J', 4, "4c46~4323~0305"},
    {U'K', 6, "0c03 6c07 2963"},
    {U'L', 5, "0c0353"},
    {U'M', 8, "030c458c83"},
    {U'N', 7, "030c737c"},
    {U'O', 8, "0807~0343~838788~8c4c~0c08"},
    {U'P', 6, "030c3c~6c6a~673707"},
    {U'Q', 8, "0807~0343~838788~8c4c~0c08 5582"},
    {U'R', 6, "030c3c~6c6a~673707 3763"},
    {U'S', 6, "6a~5c3c~0c0a~0838~6866~6333~1305"},
    {U'T', 6, "0c6c 3c33"},
    {U'U', 6, "0c06~0333~63666c"},
    {U'V', 6, "0c336c"},
    {U'W', 8, "0c234b638c"},
    {U'X', 6, "0c63 036c"},
    {U'Y', 6, "0c376c 3733"},
    {U'Z', 6, "0c6c0363"},
    {U'[', 2, "2d0d0121"},
    {U'\\', 4, "0d41"},
    {U']', 2, "0d2d2101"},
    {U'^', 4, "0a2c4a"},
    {U'_', 6, "0262"},
    {U'`', 2, "0c2a"},
    {U'a', 6, "66~6939~0906~0333~6366 6963"},
    {U'b', 6, "06~0939~6966~6333~0306 0c03"},
    {U'c', 6, "68~5939~0906~0333~5364"},
    {U'd', 6, "66~6939~0906~0333~6366 6c63"},
    {U'e', 6, "0666~6939~0906~0333~5364"},
    {U'f', 4, "4c~2c2a23 0949"},
    {U'g', 6, "66~6939~0906~0333~6366 6962~6030~1001"},
    {U'h', 6, "0c03 06~0939~696663"},
    {U'i', 0, "0903 0c"},
    {U'j', 2, "2922~2000 2c"},
    {U'k', 5, "0c03 5905 2753"},
    {U'l', 2, "0c05~0323"},
    {U'm', 8, "0903 06~0929~494643 46~4969~898683"},
    {U'n', 6, "0903 06~0939~696663"},
    {U'o', 6, "06~0939~6966~6333~0306"},
    {U'p', 6, "06~0939~6966~6333~0306 0900"},
    {U'q', 6, "66~6939~0906~0333~6366 6960"},
    {U'r', 4, "0903 06~0949"},
    {U's', 5, "58~493929~0907~062636~5655~533323~1304"},
    {U't', 4, "2c25~2343 0949"},
    {U'u', 6, "0906~0333~6366 6963"},
    {U'v', 6, "093369"},
    {U'w', 8, "0923486389"},
    {U'x', 5, "0953 0359"},
    {U'y', 6, "0933 6920"},
    {U'z', 5, "09590353"},
    {U'{', 3, "3d~1d1b19~1707~171513~1131"},
    {U'|', 0, "0d01"},
    {U'}', 3, "0d~2d2b29~2737~272523~2101"},
    {U'~', 6, "06~1937~5568"},
    {U'\u0131', 0, "0903"},
    {U'\u00df', 6, "030a~0c2c~4c4a~4828 28~6865~6333"},
    {U'\u00e6', 9, "46~4929~0906~0323~4346 4696~9969~4946~4373~8394"},
    {U'\u00c6', 9, "034c8c 43484c 7848 1646 4383"},
    {U'\u00f8', 6, "06~0939~6966~6333~0306 025a"},
    {U'\u00d8', 8, "0807~0343~838788~8c4c~0c08 027d"},
    {U'\u00bf', 5, "52~5020~0002~042627 29"},
    {U'\u00a1', 0, "0006 09"},
    {U'\u00b0', 2, "0b~0c1c~2c2b~2a1a~0a0b"},
    {U'\u00b7', 0, "07"},
    {U'\u00d7', 5, "0459 5409"},
    {U'\u2013', 5, "0757"},
    {U'\u2026', 6, "03 33 63"},
};
inline constexpr Glyph kMissing = {0, 6, "030c6c6303"};

// Accented letters: a mark four units wide, set over the middle of a small letter (three units higher over a
// capital), and the letters that it is set on, in the same order.
struct Accent {
  std::string_view strokes;
  bool below;
  std::u32string_view composed;
  std::u32string_view bases;
};

inline constexpr Accent kAccents[] = {
    {"1d3b", false, U"\u00e0\u00e8\u00ec\u00f2\u00f9\u00c0\u00c8\u00cc\u00d2\u00d9", U"ae\u0131ouAEIOU"},
    {"3d1b", false,
     U"\u00e1\u00e9\u00ed\u00f3\u00fa\u00fd\u0107\u0144\u015b\u017a"
     U"\u00c1\u00c9\u00cd\u00d3\u00da\u00dd\u0106\u0143\u015a\u0179",
     U"ae\u0131ouycnszAEIOUYCNSZ"},
    {"0b2d4b", false, U"\u00e2\u00ea\u00ee\u00f4\u00fb\u00c2\u00ca\u00ce\u00d4\u00db", U"ae\u0131ouAEIOU"},
    {"0b~1d2c~3b4d", false, U"\u00e3\u00f1\u00f5\u00c3\u00d1\u00d5", U"anoANO"},
    {"0c 4c", false, U"\u00e4\u00eb\u00ef\u00f6\u00fc\u00ff\u00c4\u00cb\u00cf\u00d6\u00dc",
     U"ae\u0131ouyAEIOU"},
    {"1c~1d2d~3d3c~3b2b~1b1c", false, U"\u00e5\u016f\u00c5\u016e", U"auAU"},
    {"0d2b4d", false, U"\u010d\u011b\u0148\u0159\u0161\u017e\u010c\u011a\u0147\u0158\u0160\u017d",
     U"cenrszCENRSZ"},
    {"0c4c", false, U"\u0101\u0113\u012b\u014d\u016b\u0100\u0112\u012a\u014c\u016a", U"ae\u0131ouAEIOU"},
    {"2c", false, U"\u017c\u0117\u017b\u0130", U"zeZI"},
    {"2332~3010", true, U"\u00e7\u015f\u00c7\u015e", U"csCS"},
};

}  // namespace maquette::media
