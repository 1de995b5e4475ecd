#include "media/pdf/pdf_sheets.h"

#include <algorithm>

#include "media/pdf/pdf_document.h"
#include "media/thumbnail.h"

namespace maquette::media {

namespace {

constexpr double kMargin = 28;
constexpr double kGap = 10;
constexpr double kTitleSize = 15;
constexpr double kSmall = 8;
constexpr double kLine = 1.3;  // distance of baselines, in text sizes
constexpr size_t kMaxPictures = 2'000;
constexpr size_t kCaptionLines = 3;

struct PageSize {
  double width;
  double height;
};

PageSize size_of(Paper paper) {
  switch (paper) {
    case Paper::a4: return {841.89, 595.28};
    case Paper::a3: return {1190.55, 841.89};
    case Paper::letter: return {792, 612};
  }
  return {841.89, 595.28};
}

void check_count(size_t pictures) {
  if (pictures == 0 || pictures > kMaxPictures) {
    throw Error(ErrorCode::usage, "cannot make the PDF sheet")
        .with("found", fmt::format("{} pictures", pictures))
        .with("expected", fmt::format("1 to {}", kMaxPictures));
  }
}

Image8 reduced(const Image8& picture, int largest) {
  const int64_t longest = std::max(picture.width(), picture.height());
  if (longest <= largest) return picture;
  const auto side = [&](int64_t length) { return std::max<int64_t>(1, length * largest / longest); };
  return reduce_area(picture, side(picture.height()), side(picture.width()), 255);
}

// The largest box of the picture's proportions inside `space`, centred at its top.
PdfBox fitted(const Image8& picture, const PdfBox& space) {
  const double scale = std::min(space.width / static_cast<double>(picture.width()),
                                space.height / static_cast<double>(picture.height()));
  const double width = scale * static_cast<double>(picture.width());
  return {space.x + (space.width - width) / 2, space.y, width, scale * static_cast<double>(picture.height())};
}

// Pages with a head and a foot; what stands between them is the caller's.
class SheetWriter {
 public:
  explicit SheetWriter(const PdfOptions& options) : options_(options), page_(size_of(options.paper)) {}

  // Begins a page; returns the space for its content.
  PdfBox new_page() {
    pdf.add_page(page_.width, page_.height);
    ++number_;
    const double width = page_.width - 2 * kMargin;
    double top = kMargin;
    if (!options_.title.empty()) {
      top += kTitleSize;
      pdf.draw_text(first_line(options_.title, kTitleSize, width), kMargin, top, {.size = kTitleSize});
      top += 4;
    }
    if (!options_.subtitle.empty()) {
      top += kSmall;
      pdf.draw_text(first_line(options_.subtitle, kSmall, width), kMargin, top,
                    {.size = kSmall, .color = kPdfGrey});
      top += 4;
    }
    const double foot = page_.height - kMargin / 2;
    const std::string number = std::to_string(number_);
    pdf.draw_text(first_line(options_.footer, kSmall, width - 40), kMargin, foot,
                  {.size = kSmall, .color = kPdfGrey});
    pdf.draw_text(number, page_.width - kMargin - pdf.text_width(number, kSmall), foot,
                  {.size = kSmall, .color = kPdfGrey});
    return {kMargin, top + 6, width, page_.height - kMargin - top - 6};
  }

  void draw_picture(const Image8& picture, const PdfBox& box) {
    pdf.draw_picture(reduced(picture, options_.largest_picture_side), box, options_.picture_quality);
  }

  // Returns where the next line may begin.
  double draw_caption(const PdfCaption& caption, const PdfBox& box) {
    double y = box.y;
    if (!caption.title.empty()) {
      y += kSmall * 1.15;
      pdf.draw_text(first_line(caption.title, kSmall * 1.15, box.width), box.x, y, {.size = kSmall * 1.15});
    }
    for (const std::string& text : caption.lines) {
      for (const std::string& line : pdf.wrap(text, kSmall * 0.85, box.width, kCaptionLines)) {
        if (y + kSmall > box.y + box.height) return y;
        y += kSmall * 0.85 * kLine;
        pdf.draw_text(line, box.x, y, {.size = kSmall * 0.85, .color = kPdfGrey});
      }
    }
    return y;
  }

  PdfDocument pdf;

 private:
  std::string first_line(const std::string& text, double size, double width) const {
    const std::vector<std::string> lines = pdf.wrap(text, size, width, 1);
    return lines.empty() ? "" : lines.front();
  }

  const PdfOptions& options_;
  PageSize page_;
  int number_ = 0;
};

PdfColor color_of(const PdfNote& note) {
  return note.drawings.empty() ? kPdfBlack : note.drawings.front().color;
}

// Dark lettering on light colours and the other way round.
PdfColor ink_on(const PdfColor& color) {
  return 0.3f * color[0] + 0.6f * color[1] + 0.1f * color[2] > 0.55f ? kPdfBlack : kPdfWhite;
}

class ReviewPage {
 public:
  ReviewPage(SheetWriter& sheet, const ReviewPdfPicture& entry) : sheet_(sheet), entry_(entry) {}

  void write() {
    if (entry_.read) return write(entry_.read());
    write(entry_.picture);
  }

 private:
  void write(const Image8& picture) {
    PdfBox space = sheet_.new_page();
    // The picture takes two thirds of the width, what is said about it the rest.
    const double width = (space.width - kGap) * 2 / 3;
    const PdfBox box = fitted(picture, {space.x, space.y, width, space.height - 40});
    sheet_.draw_picture(picture, box);
    draw_drawings(box);
    sheet_.draw_caption(entry_.caption, {box.x, box.y + box.height + 4, box.width, 40});
    column_ = {space.x + width + kGap, space.y, space.width - width - kGap, space.height};
    y_ = column_.y;
    for (size_t i = 0; i < entry_.notes.size(); ++i) write_note(entry_.notes[i], i + 1);
  }

  void draw_drawings(const PdfBox& box) {
    const double longer = std::max(box.width, box.height);
    // Drawings may leave the picture; they stop at the paper around it.
    sheet_.pdf.clip({box.x - kGap, box.y - kGap, box.width + 2 * kGap, box.height + 2 * kGap});
    for (const PdfNote& note : entry_.notes) {
      for (const PdfDrawing& drawing : note.drawings) {
        std::vector<std::array<double, 2>> points;
        for (const auto& [x, y] : drawing.points)
          points.push_back({box.x + x * box.width, box.y + y * box.height});
        sheet_.pdf.draw_line(points, {.color = drawing.color, .width = drawing.width * longer});
      }
    }
    for (size_t i = 0; i < entry_.notes.size(); ++i) {
      const PdfNote& note = entry_.notes[i];
      if (note.drawings.empty() || note.drawings.front().points.empty()) continue;
      const auto& [x, y] = note.drawings.front().points.front();
      draw_number(i + 1, color_of(note), box.x + std::clamp(x, 0., 1.) * box.width,
                  box.y + std::clamp(y, 0., 1.) * box.height);
    }
    sheet_.pdf.unclip();
  }

  void draw_number(size_t number, const PdfColor& color, double x, double y) {
    const std::string text = std::to_string(number);
    sheet_.pdf.fill_circle(x, y, kSmall * 0.9, color);
    sheet_.pdf.draw_text(text, x - sheet_.pdf.text_width(text, kSmall) / 2, y + kSmall * 0.36,
                         {.size = kSmall, .color = ink_on(color)});
  }

  // Makes room for one more line, on a new page where this one is full.
  double next_line(double size) {
    if (y_ + size * kLine > column_.y + column_.height) {
      const PdfBox space = sheet_.new_page();
      column_ = space;
      y_ = space.y;
    }
    return y_ += size * kLine;
  }

  void write_note(const PdfNote& note, size_t number) {
    constexpr double kSize = 9;
    constexpr double kIndent = 18;
    const double head = next_line(kSize);
    draw_number(number, color_of(note), column_.x + kSmall, head - kSize * 0.35);
    std::string who = note.author;
    for (const std::string& part : {note.when, note.verdict}) {
      if (!part.empty()) who += who.empty() ? part : "  ·  " + part;
    }
    const double width = column_.width - kIndent;
    for (const std::string& line : sheet_.pdf.wrap(who, kSize * 0.9, width, 1))
      sheet_.pdf.draw_text(line, column_.x + kIndent, head, {.size = kSize * 0.9, .color = kPdfGrey});
    for (const std::string& line : sheet_.pdf.wrap(note.text, kSize, width, 500))
      sheet_.pdf.draw_text(line, column_.x + kIndent, next_line(kSize), {.size = kSize});
    y_ += kSize * 0.7;
  }

  SheetWriter& sheet_;
  const ReviewPdfPicture& entry_;
  PdfBox column_;
  double y_ = 0;
};

}  // namespace

std::string contact_sheet_pdf(const ContactPdf& sheet) {
  check_count(sheet.pictures.size());
  if (sheet.columns < 1 || sheet.columns > 12 || sheet.rows < 1 || sheet.rows > 12) {
    throw Error(ErrorCode::usage, "cannot make the PDF sheet")
        .with("found", fmt::format("{} x {} pictures on a page", sheet.columns, sheet.rows))
        .with("expected", "1 to 12 beside and below each other");
  }
  SheetWriter writer(sheet.options);
  const size_t per_page = static_cast<size_t>(sheet.columns) * static_cast<size_t>(sheet.rows);
  PdfBox space;
  for (size_t i = 0; i < sheet.pictures.size(); ++i) {
    if (i % per_page == 0) space = writer.new_page();
    const auto column = static_cast<double>(i % per_page % static_cast<size_t>(sheet.columns));
    const auto row = static_cast<double>(i % per_page / static_cast<size_t>(sheet.columns));
    const double width = (space.width - kGap * (sheet.columns - 1)) / sheet.columns;
    const double height = (space.height - kGap * (sheet.rows - 1)) / sheet.rows;
    const double lettering = std::min(height * 0.35, 44.);
    const PdfBox cell = {space.x + column * (width + kGap), space.y + row * (height + kGap), width, height};
    const ContactPdfPicture& entry = sheet.pictures[i];
    const PdfBox box = fitted(entry.picture, {cell.x, cell.y, width, height - lettering});
    writer.draw_picture(entry.picture, box);
    writer.draw_caption(entry.caption, {cell.x, box.y + box.height + 2, width, lettering});
  }
  return writer.pdf.take();
}

std::string review_sheet_pdf(const ReviewPdf& sheet) {
  check_count(sheet.pictures.size());
  SheetWriter writer(sheet.options);
  for (const ReviewPdfPicture& entry : sheet.pictures) ReviewPage(writer, entry).write();
  return writer.pdf.take();
}

}  // namespace maquette::media
