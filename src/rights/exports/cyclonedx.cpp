// CycloneDX 1.7: models are components of type machine-learning-model, data sets of type data. Lineage is
// `pedigree.ancestors`, training data `modelCard.modelParameters.datasets`, everything else that the register
// knows and CycloneDX has no field for a property named "maquette:...".
#include <algorithm>

#include "rights/exports/exports.h"

namespace maquette::rights {

namespace {

std::string reference_to(std::string_view name) { return fmt::format("model:{}", name); }

Json licence_of(const LicenceClaim& claim) {
  const Licence* known = find_licence(claim.id);
  Json licence = known != nullptr && is_spdx_id(*known) ? Json{{"id", known->id}} : Json{{"name", claim.id}};
  if (is_web_address(claim.where)) licence["url"] = claim.where;
  // Somebody says so: CycloneDX calls what an author claims "declared".
  licence["acknowledgement"] = "declared";
  return Json::array({Json{{"license", licence}}});
}

Json properties_of(const ModelRecord& record) {
  Json properties = Json::array();
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) properties.push_back({{"name", fmt::format("maquette:{}", name)}, {"value", value}});
  };
  add("kind", record.kind);
  if (!is_web_address(record.source)) add("source", record.source);
  add("training_data_status", name(record.training));
  for (const std::string& address : record.evidence) add("training_evidence", address);
  if (record.licence.id.empty()) add("licence", "unknown");
  add("licence_claimed_by", record.licence.claimed_by);
  add("licence_claimed_at", record.licence.where);
  add("licence_snapshot_sha256", record.licence.snapshot_sha256);
  add("licence_snapshot_date", record.licence.snapshot_date);
  if (!record.bases) add("made_from", "unknown");
  add("tensors_sha256_claimed", record.claimed_tensors);
  add("tensors_sha256", record.tensors);
  return properties;
}

Json model_card_of(const ModelRecord& record) {
  Json parameters{{"task", "text-to-image"}};
  Json datasets = Json::array();
  for (const std::string& name : record.datasets) datasets.push_back({{"ref", reference_to(name)}});
  if (!datasets.empty()) parameters["datasets"] = datasets;
  parameters["outputs"] = Json::array({Json{{"format", "image"}}});
  Json card{{"modelParameters", parameters}};
  const Licence* licence = find_licence(record.licence.id);
  if (licence != nullptr && !licence->restrictions.empty()) {
    card["considerations"] = {
        {"ethicalConsiderations", Json::array({Json{{"name", "use restrictions of the licence"},
                                                    {"mitigationStrategy", licence->restrictions}}})}};
  }
  return card;
}

Json component_of(const ModelRecord& record) {
  const bool dataset = record.kind == "dataset";
  Json component{{"type", dataset ? "data" : "machine-learning-model"},
                 {"bom-ref", reference_to(record.name)},
                 {"name", record.name}};
  if (!record.sha256.empty())
    component["hashes"] = Json::array({Json{{"alg", "SHA-256"}, {"content", record.sha256}}});
  if (!record.licence.id.empty()) component["licenses"] = licence_of(record.licence);
  if (!record.notes.empty()) component["description"] = record.notes;
  if (is_web_address(record.source))
    component["externalReferences"] = Json::array({Json{{"type", "distribution"}, {"url", record.source}}});
  if (record.bases && !record.bases->empty()) {
    Json ancestors = Json::array();
    for (const std::string& base : *record.bases)
      ancestors.push_back({{"type", "machine-learning-model"}, {"name", base}});
    component["pedigree"] = {{"ancestors", ancestors}};
  }
  if (dataset) {
    component["data"] = Json::array({Json{{"type", "dataset"}, {"name", record.name}}});
  } else {
    component["modelCard"] = model_card_of(record);
  }
  component["properties"] = properties_of(record);
  return component;
}

bool among(const std::vector<const ModelRecord*>& records, std::string_view name) {
  return std::ranges::any_of(records, [name](const ModelRecord* each) { return each->name == name; });
}

// References must lead somewhere: what is named and not registered gets a component that says so.
void add_missing(const std::vector<const ModelRecord*>& records, Json& components) {
  std::vector<std::string> missing;
  for (const ModelRecord* record : records) {
    for (const std::string& name : record->datasets) {
      if (!among(records, name) && std::ranges::find(missing, name) == missing.end()) missing.push_back(name);
    }
  }
  for (const std::string& name : missing) {
    components.push_back(
        {{"type", "data"},
         {"bom-ref", reference_to(name)},
         {"name", name},
         {"properties", Json::array({Json{{"name", "maquette:register"}, {"value", "not registered"}}})}});
  }
}

Json dependencies_of(const std::vector<const ModelRecord*>& records) {
  Json dependencies = Json::array();
  for (const ModelRecord* record : records) {
    Json on = Json::array();
    for (const std::string& base : record->bases.value_or(std::vector<std::string>())) {
      if (among(records, base)) on.push_back(reference_to(base));
    }
    dependencies.push_back({{"ref", reference_to(record->name)}, {"dependsOn", on}});
  }
  return dependencies;
}

}  // namespace

bool is_web_address(std::string_view text) {
  const size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";
  return scheme > 0 && text.size() > scheme && std::ranges::all_of(text, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOthers.find(c) != kOthers.npos;
         });
}

bool is_spdx_id(const Licence& licence) { return !licence.id.starts_with("LicenseRef-"); }

Json cyclonedx(const ExportSubject& subject, const std::vector<const ModelRecord*>& records) {
  Json components = Json::array();
  for (const ModelRecord* record : records) components.push_back(component_of(*record));
  add_missing(records, components);
  return {{"$schema", "http://cyclonedx.org/schema/bom-1.7.schema.json"},
          {"bomFormat", "CycloneDX"},
          {"specVersion", "1.7"},
          {"serialNumber", "urn:uuid:" + subject.id},
          {"version", 1},
          {"metadata",
           {{"timestamp", subject.created},
            {"tools",
             {{"components", Json::array({Json{{"type", "application"}, {"name", subject.generator}}})}}},
            {"component", {{"type", "application"}, {"bom-ref", "show"}, {"name", subject.title}}}}},
          {"components", components},
          {"dependencies", dependencies_of(records)}};
}

}  // namespace maquette::rights
