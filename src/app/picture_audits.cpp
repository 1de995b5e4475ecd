#include "app/picture_audits.h"

#include <algorithm>

#include "audit/diversity.h"
#include "audit/drift.h"
#include "base/file.h"
#include "base/text.h"
#include "media/image_io.h"

namespace maquette::app {

namespace {

// In the order of names, so that shots follow each other.
PicturePaths pictures_of_folder(const fs::path& folder) {
  PicturePaths files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (!hidden && at->is_regular_file() && is_picture_name(at->path())) files.push_back(at->path());
  }
  if (error) {
    throw Error(ErrorCode::failed, "cannot read the folder \"{}\"", folder.string())
        .with("found", error.message());
  }
  std::ranges::sort(files);
  return files;
}

PicturePaths all_files(const PicturePaths& given) {
  PicturePaths files;
  for (const fs::path& path : given) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const PicturePaths inside = pictures_of_folder(path);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  if (files.empty() || files.size() > kMostAudited) {
    throw Error(ErrorCode::usage, "cannot measure these pictures")
        .with("found", fmt::format("{} pictures", files.size()))
        .with("expected", fmt::format("1 to {}", kMostAudited))
        .hint("name picture files, or folders with some in them");
  }
  return files;
}

std::vector<audit::Appearance> appearances_of(const PicturePaths& files, const ProgressCallback& progress) {
  std::vector<audit::Appearance> appearances;
  for (const fs::path& file : files) {
    if (progress && !progress({.phase = "looking at pictures",
                               .done = static_cast<int>(appearances.size()),
                               .total = static_cast<int>(files.size()),
                               .known = 0,
                               .seconds_left = -1}))
      throw Error(ErrorCode::cancelled, "stopped while looking at pictures");
    const MappedFile mapped = MappedFile::open(file).take();
    appearances.push_back(audit::appearance_of(media::decode_image8(mapped.bytes()).take()));
  }
  return appearances;
}

Json json_of(const audit::Trend& trend) {
  return {{"per_picture", trend.slope}, {"low", trend.low}, {"high", trend.high}, {"steady", trend.steady()}};
}

std::string trend_line(std::string_view what, const audit::Trend& trend) {
  return fmt::format("  {:<16} {:+.2f} a picture ({:+.2f} to {:+.2f}){}", what, trend.slope, trend.low,
                     trend.high, trend.steady() ? ": moves steadily" : "");
}

}  // namespace

bool is_picture_name(const fs::path& name) {
  static const std::vector<std::string> kEndings = {".png",  ".jpg", ".jpeg", ".tif", ".tiff",
                                                    ".webp", ".exr", ".bmp",  ".hdr"};
  return std::ranges::find(kEndings, lower_ascii(name.extension().string())) != kEndings.end();
}

Facts audit_diversity(const PicturePaths& pictures, const ProgressCallback& progress) {
  const PicturePaths files = all_files(pictures);
  const audit::Diversity diversity = audit::measure_diversity(appearances_of(files, progress));
  Facts facts;
  facts.json = {{"pictures", diversity.pictures}, {"vendi_score", diversity.score}};
  facts.lines = {fmt::format("{} pictures, as diverse as {:.1f} that have nothing in common (Vendi score)",
                             diversity.pictures, diversity.score)};
  if (diversity.compared) {
    const auto& compared = *diversity.compared;
    facts.json["of"] = {{"pictures", audit::kPicturesCompared},
                        {"vendi_score", compared.score},
                        {"low", compared.low},
                        {"high", compared.high}};
    facts.lines.push_back(fmt::format("  of any {} of them  {:.2f} (95 % interval {:.2f} to {:.2f})",
                                      audit::kPicturesCompared, compared.score, compared.low, compared.high));
  } else {
    facts.json["of"] = nullptr;
    facts.lines.push_back(
        fmt::format("  not enough samples to compare with other sets: that needs {} pictures",
                    2 * audit::kPicturesCompared));
  }
  return facts;
}

Facts audit_drift(const PicturePaths& pictures, const ProgressCallback& progress) {
  const PicturePaths files = all_files(pictures);
  const audit::Drift drift = audit::measure_drift(appearances_of(files, progress));
  Facts facts;
  Json lines = Json::array();
  for (size_t i = 0; i < files.size(); ++i) {
    Json line{{"file", files[i].string()}, {"distance", drift.distances[i]}};
    if (drift.leaves) line["leaves_palette"] = drift.leaves->at(i);
    lines.push_back(std::move(line));
  }
  facts.json = {
      {"pictures", lines}, {"usual_distance", drift.usual}, {"limit", drift.limit}, {"trends", nullptr}};
  facts.lines = {
      fmt::format("{} pictures; {:.1f} from their common palette (median), at most {:.1f} is usual",
                  files.size(), drift.usual, drift.limit)};
  if (!drift.leaves) {
    facts.lines.push_back(
        fmt::format("  not enough samples: a verdict needs {} pictures", audit::kFewestForDrift));
    return facts;
  }
  for (size_t i = 0; i < files.size(); ++i) {
    if (drift.leaves->at(i))
      facts.lines.push_back(
          fmt::format("  {} leaves the palette: {:.1f}", files[i].string(), drift.distances[i]));
  }
  const audit::Drift::Trends& trends = *drift.trends;
  facts.json["trends"] = {{"lightness", json_of(trends.lightness)},
                          {"green_to_red", json_of(trends.green_to_red)},
                          {"blue_to_yellow", json_of(trends.blue_to_yellow)}};
  facts.lines.push_back(trend_line("lightness", trends.lightness));
  facts.lines.push_back(trend_line("green to red", trends.green_to_red));
  facts.lines.push_back(trend_line("blue to yellow", trends.blue_to_yellow));
  return facts;
}

}  // namespace maquette::app
