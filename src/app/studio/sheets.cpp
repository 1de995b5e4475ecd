#include "app/studio/sheets.h"

#include <cmath>

#include "app/studio/filing.h"
#include "base/file.h"
#include "base/identifiers.h"
#include "media/contact_sheet.h"
#include "media/image_io.h"
#include "media/pdf/pdf_sheets.h"
#include "production/references.h"
#include "production/review.h"

namespace maquette::app {

namespace {

std::array<float, 3> color_of(const Json& stroke) {
  const std::string text = stroke.value("color", "#ff3333");
  std::array<float, 3> color = {1, 0.2F, 0.2F};
  for (size_t i = 0; i < 3 && text.size() == 7; ++i) {
    color[i] = static_cast<float>(std::strtol(text.substr(1 + 2 * i, 2).c_str(), nullptr, 16)) / 255;
  }
  return color;
}

// Shapes as lines in parts of the picture.
media::PdfDrawing lines_of(const Json& stroke, double aspect) {
  media::PdfDrawing drawing{.color = color_of(stroke),
                            .width = stroke.value("width", 0.006) / std::max(aspect, 1.0)};
  for (const Json& point : stroke.at("points")) drawing.points.push_back({point[0], point[1]});
  if (stroke.at("kind") == "rect" && drawing.points.size() >= 2) {
    const auto a = drawing.points.front(), b = drawing.points.back();
    drawing.points = {a, {b[0], a[1]}, b, {a[0], b[1]}, a};
  }
  if (stroke.at("kind") == "ellipse" && drawing.points.size() >= 2) {
    const auto a = drawing.points.front(), b = drawing.points.back();
    drawing.points.clear();
    for (int i = 0; i <= 64; ++i) {
      const double angle = 2 * 3.14159265358979 * i / 64;
      drawing.points.push_back({(a[0] + b[0]) / 2 + (b[0] - a[0]) / 2 * std::cos(angle),
                                (a[1] + b[1]) / 2 + (b[1] - a[1]) / 2 * std::sin(angle)});
    }
  }
  return drawing;
}

std::vector<media::PdfNote> notes_of(db::Connection& c, const db::Row& take) {
  const double aspect = static_cast<double>(take.integer("width")) /
                        static_cast<double>(std::max<int64_t>(take.integer("height"), 1));
  std::vector<media::PdfNote> notes;
  for (const Json& annotation : production::annotations(c, take)) {
    const std::string guest = annotation["guest"];
    media::PdfNote note{
        .author = annotation["person"].is_null() ? guest : annotation["person"]["name"].get<std::string>(),
        .when = annotation["created_at"].get<std::string>().substr(0, 16),
        .text = annotation["note"]};
    for (const Json& stroke : annotation["drawing"]) note.drawings.push_back(lines_of(stroke, aspect));
    notes.push_back(std::move(note));
  }
  for (const db::Row& row :
       c.query("SELECT m.*, p.name, s.name AS status_name FROM comments m LEFT JOIN people p ON p.id = "
               "m.person_id LEFT JOIN "
               "task_statuses s ON s.id = m.status_id WHERE m.take_id = :t ORDER BY m.seq",
               {{"t", take.text("id")}})) {
    notes.push_back({.author = row.is_null("person_id") ? row.text("guest") : row.text("name"),
                     .when = row.text("said_at").substr(0, 16),
                     .verdict = row.text("status_name"),
                     .text = row.text("text")});
  }
  return notes;
}

media::Image8 read_picture(const fs::path& file) {
  return media::to_rgb(media::to_8bit(media::read_image(file).take()));
}

// Pictures of a large sheet are smaller, so that all of it stays below 24 million pixels.
int side_of_cells(size_t count) {
  constexpr double kPixels = 24e6;
  constexpr int kLargest = 640;
  return std::min(kLargest, static_cast<int>(std::sqrt(kPixels / static_cast<double>(count))));
}

}  // namespace

fs::path playlist_sheet(Studio& studio, const db::Row& playlist, const std::string& format) {
  if (format != "pdf" && format != "png")
    throw Error(ErrorCode::usage, "sheets are \"pdf\" or \"png\"").with("found", format);
  const db::Lease c = studio.database().connect();
  const production::FileStore store = store_of(studio, production::find_show(*c, playlist.text("show_id")));
  media::ReviewPdf review{
      .options = {.title = playlist.text("name"), .subtitle = playlist.text("description")}};
  std::vector<media::ContactPicture> pictures;
  const Json document = production::playlist_document(*c, playlist, "");
  if (document["items"].empty()) throw Error(ErrorCode::usage, "the playlist is empty");
  const int side = side_of_cells(document["items"].size());
  for (const Json& item : document["items"]) {
    const std::string sha256 = item["sha256"];
    store.require(sha256);
    const std::string reference = item["reference"];
    const std::string made =
        fmt::format("{} {}", item["model"].get<std::string>(), item["prompt"].get<std::string>());
    if (format == "png") {
      pictures.push_back({.picture = media::reduced_for_sheet(read_picture(store.path(sha256)), side),
                          .title = reference,
                          .notes = {made}});
    } else {
      const db::Row take = production::find_take(*c, item["id"].get<std::string>());
      review.pictures.push_back({.read = [file = store.path(sha256)] { return read_picture(file); },
                                 .caption = {.title = reference, .lines = {made}},
                                 .notes = notes_of(*c, take)});
    }
  }
  const fs::path file = studio.spool() / fmt::format("sheet-{}.{}", new_uuid(), format);
  if (format == "pdf") {
    write_file_atomically(file, media::review_sheet_pdf(review));
  } else {
    media::write_image(file, media::contact_sheet(pictures, {.title = playlist.text("name"),
                                                             .subtitle = playlist.text("description"),
                                                             .largest_side = side}));
  }
  return file;
}

}  // namespace maquette::app
