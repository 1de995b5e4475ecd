// SPDX 3.0.1 as JSON-LD: one graph of elements that share one CreationInfo. Models are ai_AIPackage, data
// sets dataset_DatasetPackage; licences that somebody claims are hasDeclaredLicense, lineage is descendantOf,
// training data trainedOn.
#include <algorithm>

#include "rights/exports/exports.h"

namespace maquette::rights {

namespace {

constexpr std::string_view kCreation = "_:creation";

class Graph {
 public:
  explicit Graph(const ExportSubject& subject) : base_(fmt::format("urn:uuid:{}#", subject.id)) {
    nodes_.push_back({{"type", "CreationInfo"},
                      {"@id", kCreation},
                      {"specVersion", "3.0.1"},
                      {"created", subject.created},
                      {"createdBy", Json::array({iri("agent")})}});
    add("SoftwareAgent", "agent", {{"name", subject.generator}});
  }

  std::string iri(std::string_view local) const { return base_ + escaped(local); }

  void add(std::string_view type, std::string_view local, Json fields) {
    fields["type"] = type;
    fields["spdxId"] = iri(local);
    fields["creationInfo"] = kCreation;
    elements_.push_back(iri(local));
    nodes_.push_back(std::move(fields));
  }
  void relate(std::string_view type, const std::string& from, const std::string& to) {
    add("Relationship", fmt::format("relation-{}", ++relations_),
        {{"relationshipType", type}, {"from", from}, {"to", Json::array({to})}});
  }
  bool has(const std::string& local) const {
    return std::ranges::find(elements_, iri(local)) != elements_.end();
  }
  const std::vector<std::string>& elements() const { return elements_; }
  void finish(const ExportSubject& subject, const std::vector<std::string>& roots) {
    const std::vector<std::string> elements = elements_;
    add("SpdxDocument", "document",
        {{"name", subject.title},
         {"profileConformance", Json::array({"core", "software", "simpleLicensing"})},
         {"rootElement", roots},
         {"element", elements}});
  }
  Json document() && {
    return {{"@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}, {"@graph", std::move(nodes_)}};
  }

 private:
  // Letters, digits, "-", "." and "_" stand for themselves in the fragment of an IRI.
  static std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         c == '-' || c == '.' || c == '_';
      result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return result;
  }

  std::string base_;
  int relations_ = 0;
  std::vector<std::string> elements_;
  Json nodes_ = Json::array();
};

std::string local_name(std::string_view name) { return fmt::format("model-{}", name); }

// What SPDX has no field for, in words.
std::string comment_of(const ModelRecord& record) {
  std::string comment = fmt::format("training data: {}", name(record.training));
  if (!record.evidence.empty()) comment += fmt::format(" ({})", fmt::join(record.evidence, ", "));
  if (!record.source.empty() && !is_web_address(record.source)) comment += "; got from " + record.source;
  if (!record.bases) comment += "; what it was made from is unknown";
  if (!record.licence.id.empty())
    comment += fmt::format("; licence claimed by {}",
                           record.licence.claimed_by.empty() ? "nobody named" : record.licence.claimed_by);
  return comment;
}

void add_package(Graph& graph, const ModelRecord& record) {
  const bool dataset = record.kind == "dataset";
  Json fields{{"name", record.name},
              {"software_primaryPurpose", dataset ? "data" : "model"},
              {"comment", comment_of(record)}};
  if (!record.sha256.empty()) {
    // A release of a model has no number: its content is its version.
    fields["software_packageVersion"] = "sha256-" + record.sha256.substr(0, 12);
    fields["verifiedUsing"] =
        Json::array({Json{{"type", "Hash"}, {"algorithm", "sha256"}, {"hashValue", record.sha256}}});
  }
  if (is_web_address(record.source)) fields["software_downloadLocation"] = record.source;
  if (!record.notes.empty()) fields["description"] = record.notes;
  if (dataset) {
    fields["dataset_datasetType"] = Json::array({"image"});
  } else {
    fields["ai_typeOfModel"] = Json::array({record.kind});
    if (record.training != Training::unknown)
      fields["ai_informationAboutTraining"] = fmt::format("training data {}", name(record.training));
    const Licence* licence = find_licence(record.licence.id);
    if (licence != nullptr && !licence->restrictions.empty()) fields["ai_limitation"] = licence->restrictions;
  }
  graph.add(dataset ? "dataset_DatasetPackage" : "ai_AIPackage", local_name(record.name), std::move(fields));
}

// A licence expression; ids that SPDX does not have are LicenseRefs, as its grammar wants them.
std::string expression_of(std::string_view id) {
  const Licence* known = find_licence(id);
  if (known != nullptr) return std::string(known->id);
  if (id.starts_with("LicenseRef-")) return std::string(id);
  std::string name = "LicenseRef-claimed-";
  for (const char c : id) name += std::isalnum(static_cast<unsigned char>(c)) || c == '.' ? c : '-';
  return name;
}

void add_licence(Graph& graph, const ModelRecord& record) {
  if (record.licence.id.empty()) return;
  const std::string expression = expression_of(record.licence.id);
  const std::string local = "licence-" + expression;
  if (!graph.has(local))
    graph.add("simplelicensing_LicenseExpression", local,
              {{"simplelicensing_licenseExpression", expression}});
  graph.relate("hasDeclaredLicense", graph.iri(local_name(record.name)), graph.iri(local));
}

// A record that another one names and the register lacks is still named.
void add_unregistered(Graph& graph, std::string_view name, bool dataset) {
  if (graph.has(local_name(name))) return;
  add_package(graph, {.name = std::string(name),
                      .kind = dataset ? "dataset" : "model",
                      .notes = "named by another record; not in the register"});
}

}  // namespace

Json spdx(const ExportSubject& subject, const std::vector<const ModelRecord*>& records) {
  Graph graph(subject);
  std::vector<std::string> roots;
  for (const ModelRecord* record : records) {
    add_package(graph, *record);
    roots.push_back(graph.iri(local_name(record->name)));
  }
  if (roots.empty()) roots.push_back(graph.iri("agent"));
  for (const ModelRecord* record : records) {
    const std::string from = graph.iri(local_name(record->name));
    add_licence(graph, *record);
    for (const std::string& base : record->bases.value_or(std::vector<std::string>())) {
      add_unregistered(graph, base, /*dataset=*/false);
      graph.relate("descendantOf", from, graph.iri(local_name(base)));
    }
    for (const std::string& dataset : record->datasets) {
      add_unregistered(graph, dataset, /*dataset=*/true);
      graph.relate("trainedOn", from, graph.iri(local_name(dataset)));
    }
  }
  graph.finish(subject, roots);
  return std::move(graph).document();
}

}  // namespace maquette::rights
