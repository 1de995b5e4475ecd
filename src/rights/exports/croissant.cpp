#include "rights/exports/exports.h"

namespace maquette::rights {

namespace {

// The names of Croissant 1.1, as its specification lists them.
Json context() {
  return {{"@language", "en"},
          {"@vocab", "https://schema.org/"},
          {"sc", "https://schema.org/"},
          {"cr", "http://mlcommons.org/croissant/"},
          {"rai", "http://mlcommons.org/croissant/RAI/"},
          {"dct", "http://purl.org/dc/terms/"},
          {"conformsTo", "dct:conformsTo"},
          {"citeAs", "cr:citeAs"},
          {"isLiveDataset", "cr:isLiveDataset"},
          {"recordSet", "cr:recordSet"},
          {"md5", "cr:md5"}};
}

std::string description_of(const ModelRecord& dataset) {
  std::string text = dataset.notes.empty() ? fmt::format("The data set {}.", dataset.name) : dataset.notes;
  text +=
      fmt::format(" How it was collected is {}.",
                  dataset.training == Training::partly ? "only partly disclosed" : name(dataset.training));
  return text;
}

}  // namespace

Json croissant(const ModelRecord& dataset, const std::string& date_published) {
  if (dataset.kind != "dataset") {
    throw Error(ErrorCode::usage, "cannot describe \"{}\" as a data set", dataset.name)
        .with("found", dataset.kind)
        .hint("models have cards: CycloneDX, SPDX");
  }
  if (!is_web_address(dataset.source) || dataset.sha256.empty()) {
    throw Error(ErrorCode::usage, "cannot describe the data set \"{}\" for others", dataset.name)
        .with("found", dataset.sha256.empty() ? "no hash of its archive" : "no address that it is got from")
        .hint("the register must know where it is and what its hash is");
  }
  Json document{{"@context", context()},
                {"@type", "sc:Dataset"},
                {"conformsTo", "http://mlcommons.org/croissant/1.1"},
                {"name", dataset.name},
                {"description", description_of(dataset)},
                {"url", dataset.source},
                {"version", "sha256-" + dataset.sha256.substr(0, 12)},
                {"datePublished", date_published},
                {"distribution", Json::array({Json{{"@type", "cr:FileObject"},
                                                   {"@id", "archive"},
                                                   {"name", "archive"},
                                                   {"contentUrl", dataset.source},
                                                   {"encodingFormat", "application/octet-stream"},
                                                   {"sha256", dataset.sha256}}})}};
  // The licence as somebody claims it; where nobody does, the field is missing and readers say so.
  if (!dataset.licence.id.empty()) document["license"] = dataset.licence.id;
  if (!dataset.evidence.empty())
    document["rai:dataCollection"] = fmt::format("described at {}", fmt::join(dataset.evidence, ", "));
  return document;
}

}  // namespace maquette::rights
