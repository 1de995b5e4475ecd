// One list of sections, written as Markdown or as HTML.
#include <algorithm>

#include "rights/exports/exports.h"

namespace maquette::rights {

namespace {

struct Row {
  std::string name, value;
};
struct Section {
  std::string title;
  std::vector<Row> rows;
  std::vector<std::string> points = {};
};

std::string or_unknown(const std::string& text) { return text.empty() ? "**unknown**" : text; }

Section identity_of(const ModelRecord& record) {
  std::string bases = "**unknown**";
  if (record.bases)
    bases = record.bases->empty() ? "nothing else" : fmt::format("{}", fmt::join(*record.bases, ", "));
  return {.title = "What it is",
          .rows = {{"kind", record.kind},
                   {"SHA-256 of the file", or_unknown(record.sha256)},
                   {"SHA-256 of the tensors", or_unknown(record.tensors)},
                   {"source", or_unknown(record.source)},
                   {"made from", bases}}};
}

Section licence_of(const ModelRecord& record, const Terms& terms) {
  const LicenceClaim& claim = record.licence;
  Section section{
      .title = "Licence",
      .rows = {{"claimed", or_unknown(claim.id)},
               {"claimed by", or_unknown(claim.claimed_by)},
               {"where", or_unknown(claim.where)},
               {"snapshot of the text",
                claim.snapshot_sha256.empty()
                    ? "**none kept**"
                    : fmt::format("{}, SHA-256 {}", claim.snapshot_date, claim.snapshot_sha256)},
               {"commercial use, with everything it comes from", std::string(name(terms.commercial))},
               {"attribution", terms.attribution ? "required" : "not required"}}};
  if (terms.revenue_cap_usd > 0)
    section.rows.push_back({"free below a yearly revenue of", fmt::format("USD {}", terms.revenue_cap_usd)});
  if (terms.share_alike) section.rows.push_back({"share alike", "yes"});
  for (const std::string& restriction : terms.restrictions)
    section.points.push_back("use restrictions: " + restriction);
  for (const std::string& outputs : terms.outputs) section.points.push_back("pictures: " + outputs);
  return section;
}

Section training_of(const ModelRecord& record) {
  Section section{.title = "Training data", .rows = {{"status", std::string(name(record.training))}}};
  section.rows.push_back({"data sets", record.datasets.empty()
                                           ? "**none named**"
                                           : fmt::format("{}", fmt::join(record.datasets, ", "))});
  for (const std::string& evidence : record.evidence) section.points.push_back("evidence: " + evidence);
  return section;
}

Section opacity_section(const Opacity& opacity) {
  return {.title = "Opacity",
          .rows = {{"score (0: all is known, 100: nothing is)", fmt::format("{}", opacity.score)}},
          .points = opacity.reasons};
}

// Markdown's own characters in values that come from files and people.
std::string markdown(const std::string& text) {
  if (text.starts_with("**") && text.ends_with("**")) return text;  // our own words
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>#|").find(c) != std::string_view::npos) result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

std::string html(const std::string& text) {
  if (text.starts_with("**") && text.ends_with("**") && text.size() > 4)
    return "<strong>" + html(text.substr(2, text.size() - 4)) + "</strong>";
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '&': result += "&amp;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string as_markdown(const std::string& title, const std::vector<Section>& sections) {
  std::string text = fmt::format("# {}\n", markdown(title));
  for (const Section& section : sections) {
    text += fmt::format("\n## {}\n\n| | |\n|---|---|\n", section.title);
    for (const Row& row : section.rows) text += fmt::format("| {} | {} |\n", row.name, markdown(row.value));
    if (!section.points.empty()) text += '\n';
    for (const std::string& point : section.points) text += fmt::format("- {}\n", markdown(point));
  }
  return text;
}

std::string as_html(const std::string& title, const std::vector<Section>& sections) {
  std::string text = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n<style>\n"
      "body {{ font: 16px/1.5 sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}\n"
      "th {{ text-align: left; font-weight: normal; padding-right: 2rem; vertical-align: top; }}\n"
      "td {{ overflow-wrap: anywhere; }}\n</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
      html(title));
  for (const Section& section : sections) {
    text += fmt::format("<h2>{}</h2>\n<table>\n", section.title);
    for (const Row& row : section.rows)
      text += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", row.name, html(row.value));
    text += "</table>\n";
    if (section.points.empty()) continue;
    text += "<ul>\n";
    for (const std::string& point : section.points) text += fmt::format("<li>{}</li>\n", html(point));
    text += "</ul>\n";
  }
  return text + "</body>\n</html>\n";
}

}  // namespace

std::string model_card(const ModelRecord& record, const Register& models, CardForm form) {
  const Lineage lineage = lineage_of(record, models);
  std::vector<Section> sections{identity_of(record), licence_of(record, terms_of(lineage)),
                                training_of(record), opacity_section(opacity_of(lineage))};
  if (!record.notes.empty()) sections.push_back({.title = "Notes", .rows = {}, .points = {record.notes}});
  if (!lineage.missing.empty())
    sections.push_back({.title = "Not in the register", .rows = {}, .points = lineage.missing});
  std::erase_if(sections, [](const Section& s) { return s.rows.empty() && s.points.empty(); });
  return form == CardForm::html ? as_html(record.name, sections) : as_markdown(record.name, sections);
}

}  // namespace maquette::rights
