// libharu reports errors by a code that stays: it is looked at where bytes are taken, since exceptions must
// not cross its C functions. The TrueType font is loaded from memory, with the steps that
// HPDF_LoadTTFontFromFile does for files.
#include "media/pdf/pdf_document.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <hpdf.h>
#include <utility>

#include "base/text.h"
#include "media/bytes.h"
#include "media/embedded_data.h"
#include "media/image_io.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr char32_t kBox = 0x25a1;   // shown for what the font lacks
constexpr size_t kMaxLine = 4'000;  // bytes; libharu refuses longer strings

Error cannot_write(std::string_view found) {
  return Error(ErrorCode::failed, "cannot write the PDF sheet").with("found", found);
}

const HPDF_BYTE* pdf_bytes(std::string_view bytes) {
  return reinterpret_cast<const HPDF_BYTE*>(bytes.data());
}

}  // namespace

struct PdfDocument::State {
  HPDF_Doc doc = nullptr;
  HPDF_FontDef definition = nullptr;
  HPDF_Font font = nullptr;
  HPDF_Page page = nullptr;
  HPDF_STATUS error = HPDF_OK;

  ~State() {
    if (doc != nullptr) HPDF_Free(doc);
  }
  void load_font();
  std::string drawable(std::string_view utf8) const;
  float up(double y) const { return HPDF_Page_GetHeight(page) - static_cast<float>(y); }
  void fill_color(const PdfColor& color) { HPDF_Page_SetRGBFill(page, color[0], color[1], color[2]); }
  void stroke_style(const Stroke& stroke) {
    HPDF_Page_SetRGBStroke(page, stroke.color[0], stroke.color[1], stroke.color[2]);
    HPDF_Page_SetLineWidth(page, static_cast<float>(std::clamp(stroke.width, 0.05, 100.)));
    HPDF_Page_SetLineCap(page, HPDF_ROUND_END);
    HPDF_Page_SetLineJoin(page, HPDF_ROUND_JOIN);
  }
};

void PdfDocument::State::load_font() {
  const std::string_view file = embedded_sheet_font();
  const auto size = static_cast<HPDF_UINT>(file.size());
  HPDF_Stream stream = HPDF_MemStream_New(doc->mmgr, size);
  if (stream == nullptr || HPDF_Stream_Write(stream, pdf_bytes(file), size) != HPDF_OK)
    throw cannot_write("no memory for the font");
  definition = HPDF_TTFontDef_Load(doc->mmgr, stream, HPDF_TRUE);
  if (definition == nullptr || HPDF_List_Add(doc->fontdef_list, definition) != HPDF_OK)
    throw cannot_write("a font that libharu does not read");
  // Six letters in front of the name mark a font of which only some glyphs are embedded.
  std::memcpy(doc->ttfont_tag, "MAQAAA", sizeof doc->ttfont_tag);
  HPDF_TTFontDef_SetTagName(definition, reinterpret_cast<char*>(doc->ttfont_tag));
  HPDF_UseUTFEncodings(doc);
  font = HPDF_GetFont(doc, definition->base_font, "UTF-8");
  if (font == nullptr) throw cannot_write("a font without Unicode");
}

std::string PdfDocument::State::drawable(std::string_view utf8) const {
  std::string out;
  for (size_t at = 0; at < utf8.size() && out.size() < kMaxLine;) {
    char32_t point = next_code_point(utf8, at);
    if (point < 0x20 || point == 0x7f) point = ' ';
    if (point > 0xffff || HPDF_TTFontDef_GetGlyphid(definition, static_cast<HPDF_UINT16>(point)) == 0)
      point = kBox;
    append_utf8(out, point);
  }
  return out;
}

PdfDocument::PdfDocument() : state_(std::make_unique<State>()) {
  const auto remember = [](HPDF_STATUS error, HPDF_STATUS, void* state) {
    auto& first = static_cast<State*>(state)->error;
    if (first == HPDF_OK) first = error;
  };
  state_->doc = HPDF_New(remember, state_.get());
  if (state_->doc == nullptr) throw cannot_write("no memory");
  HPDF_SetCompressionMode(state_->doc, HPDF_COMP_ALL);
  state_->load_font();
}

PdfDocument::~PdfDocument() = default;

void PdfDocument::add_page(double width, double height) {
  state_->page = HPDF_AddPage(state_->doc);
  if (state_->page == nullptr) throw cannot_write("no memory for a page");
  HPDF_Page_SetWidth(state_->page, static_cast<float>(width));
  HPDF_Page_SetHeight(state_->page, static_cast<float>(height));
}

double PdfDocument::text_width(std::string_view utf8, double size) const {
  const std::string text = state_->drawable(utf8);
  const HPDF_TextWidth width =
      HPDF_Font_TextWidth(state_->font, pdf_bytes(text), static_cast<HPDF_UINT>(text.size()));
  return static_cast<double>(width.width) * size / 1000;
}

void PdfDocument::draw_text(std::string_view utf8, double x, double baseline, const PdfText& style) {
  const std::string text = state_->drawable(utf8);
  if (text.empty()) return;
  HPDF_Page_BeginText(state_->page);
  state_->fill_color(style.color);
  HPDF_Page_SetFontAndSize(state_->page, state_->font, static_cast<float>(style.size));
  HPDF_Page_TextOut(state_->page, static_cast<float>(x), state_->up(baseline), text.c_str());
  HPDF_Page_EndText(state_->page);
}

std::vector<std::string> PdfDocument::wrap(std::string_view utf8, double size, double width,
                                           size_t lines) const {
  std::vector<std::string> wrapped;
  const auto fits = [&](const std::string& text) { return text_width(text, size) <= width; };
  for (const std::string& paragraph : split(utf8, '\n')) {
    std::string line;
    for (std::string word : split(paragraph, ' ')) {
      const std::string longer = line.empty() ? word : line + ' ' + word;
      if (fits(longer)) {
        line = longer;
        continue;
      }
      if (!line.empty()) wrapped.push_back(std::exchange(line, {}));
      // A word longer than a line is cut where it has to be.
      while (!fits(word) && wrapped.size() <= lines) {
        size_t end = 0;
        for (size_t next = 0; next < word.size(); end = next) {
          next_code_point(word, next);
          if (!fits(word.substr(0, next)) && end > 0) break;
        }
        wrapped.push_back(word.substr(0, end));
        word.erase(0, end);
      }
      line = word;
      if (wrapped.size() > lines) break;
    }
    wrapped.push_back(line);
    if (wrapped.size() > lines) break;
  }
  if (wrapped.size() > lines) {
    wrapped.resize(lines);
    if (lines > 0) wrapped.back() += "...";
  }
  return wrapped;
}

void PdfDocument::draw_picture(const Image8& picture, const PdfBox& box, int quality) {
  const Image flat = picture.channels() == 4 ? flatten(to_float(picture), 1, 1, 1) : to_float(picture);
  const std::string jpeg = encode_image(flat, ImageFormat::jpeg, {.quality = quality});
  HPDF_Image image =
      HPDF_LoadJpegImageFromMem(state_->doc, pdf_bytes(jpeg), static_cast<HPDF_UINT>(jpeg.size()));
  if (image == nullptr) throw cannot_write("a picture that libharu does not read");
  HPDF_Page_DrawImage(state_->page, image, static_cast<float>(box.x), state_->up(box.y + box.height),
                      static_cast<float>(box.width), static_cast<float>(box.height));
}

void PdfDocument::draw_line(const std::vector<std::array<double, 2>>& points, const Stroke& stroke) {
  if (points.empty()) return;
  const auto at = [&](const std::array<double, 2>& p) {
    // Beyond what any page can show, and within what PDF's numbers can say.
    const auto inside = [](double v) { return std::isfinite(v) ? std::clamp(v, -20'000., 20'000.) : 0.; };
    return std::array<float, 2>{static_cast<float>(inside(p[0])), state_->up(inside(p[1]))};
  };
  state_->stroke_style(stroke);
  const auto first = at(points.front());
  HPDF_Page_MoveTo(state_->page, first[0], first[1]);
  if (points.size() == 1) HPDF_Page_LineTo(state_->page, first[0], first[1]);
  for (size_t i = 1; i < points.size(); ++i) {
    const auto next = at(points[i]);
    HPDF_Page_LineTo(state_->page, next[0], next[1]);
  }
  HPDF_Page_Stroke(state_->page);
}

void PdfDocument::fill_circle(double x, double y, double radius, const PdfColor& color) {
  state_->fill_color(color);
  HPDF_Page_Circle(state_->page, static_cast<float>(x), state_->up(y), static_cast<float>(radius));
  HPDF_Page_Fill(state_->page);
}

void PdfDocument::outline(const PdfBox& box, const Stroke& stroke) {
  state_->stroke_style(stroke);
  HPDF_Page_Rectangle(state_->page, static_cast<float>(box.x), state_->up(box.y + box.height),
                      static_cast<float>(box.width), static_cast<float>(box.height));
  HPDF_Page_Stroke(state_->page);
}

void PdfDocument::clip(const PdfBox& box) {
  HPDF_Page_GSave(state_->page);
  HPDF_Page_Rectangle(state_->page, static_cast<float>(box.x), state_->up(box.y + box.height),
                      static_cast<float>(box.width), static_cast<float>(box.height));
  HPDF_Page_Clip(state_->page);
  HPDF_Page_EndPath(state_->page);
}

void PdfDocument::unclip() { HPDF_Page_GRestore(state_->page); }

std::string PdfDocument::take() {
  if (state_->error == HPDF_OK) HPDF_SaveToStream(state_->doc);
  if (state_->error != HPDF_OK) throw cannot_write(fmt::format("libharu's error {:#x}", state_->error));
  HPDF_UINT32 size = HPDF_GetStreamSize(state_->doc);
  std::string bytes(size, '\0');
  HPDF_ReadFromStream(state_->doc, reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
  bytes.resize(size);
  return bytes;
}

}  // namespace maquette::media
