#include "marks/read.h"

#include <algorithm>

#include "marks/asset_format.h"
#include "marks/c2pa_library.h"

namespace maquette::marks {

namespace {

// A manifest is some kilobytes, with thumbnails and ingredients some megabytes.
constexpr size_t kMaxSidecar = size_t{64} << 20;

const Json& member(const Json& json, std::string_view key) {
  static const Json nothing;
  const auto found = json.is_object() ? json.find(std::string(key)) : json.end();
  return json.is_object() && found != json.end() ? *found : nothing;
}

std::string text(const Json& json, std::string_view key) {
  const Json& value = member(json, key);
  return value.is_string() ? value.get<std::string>() : "";
}

// Elements of what should be a list.
const Json& list(const Json& json, std::string_view key) {
  static const Json empty = Json::array();
  const Json& value = member(json, key);
  return value.is_array() ? value : empty;
}

std::string after_last(const std::string& text, char separator) {
  return text.substr(text.rfind(separator) + 1);
}

std::string name_and_version(const Json& json) {
  const std::string version = text(json, "version");
  return text(json, "name") + (version.empty() ? "" : " " + version);
}

ActionFacts action_facts(const Json& action) {
  const Json& agent = member(action, "softwareAgent");
  return {.action = text(action, "action"),
          .source_type = after_last(text(action, "digitalSourceType"), '/'),
          .tool = agent.is_string() ? agent.get<std::string>() : name_and_version(agent),
          .when = text(action, "when"),
          .description = text(action, "description")};
}

void read_active(const Json& manifest, ManifestReport& report) {
  report.title = text(manifest, "title");
  const Json& generators = list(manifest, "claim_generator_info");
  if (!generators.empty()) report.generator = name_and_version(generators[0]);
  if (report.generator.empty()) report.generator = text(manifest, "claim_generator");
  const Json& signature = member(manifest, "signature_info");
  report.signed_by = text(signature, "common_name");
  if (report.signed_by.empty()) report.signed_by = text(signature, "issuer");
  report.signed_at = text(signature, "time");
  for (const Json& assertion : list(manifest, "assertions")) {
    if (!text(assertion, "label").starts_with("c2pa.actions")) continue;
    for (const Json& action : list(member(assertion, "data"), "actions"))
      report.actions.push_back(action_facts(action));
  }
  for (const Json& ingredient : list(manifest, "ingredients")) {
    report.ingredients.push_back({.title = text(ingredient, "title"),
                                  .relationship = text(ingredient, "relationship"),
                                  .id = text(ingredient, "instance_id"),
                                  .has_manifest = !text(ingredient, "active_manifest").empty()});
  }
}

std::string settings(const ReadOptions& options) {
  Json json = {{"verify", {{"remote_manifest_fetch", false}, {"ocsp_fetch", false}, {"verify_trust", true}}}};
  if (!options.roots_pem.empty()) json["trust"] = {{"trust_anchors", options.roots_pem}};
  return json.dump();
}

// The reader's error as a report: no manifest at all, or one that is damaged.
ManifestReport report_of_failure(const std::string& error) {
  ManifestReport report;
  if (error.starts_with("ManifestNotFound")) return report;
  report.state = ManifestState::invalid;
  report.problems.push_back(error);
  return report;
}

ManifestReport report_of(C2paReader* reader) {
  char* json_text = c2pa_library().reader_json(reader);
  const C2paHandle<char> owned(json_text);
  const Result<Json> json = parse_json(json_text ? json_text : "", "manifest");
  return json ? parse_reader_json(*json) : report_of_failure(json.error().what());
}

}  // namespace

std::string_view name(ManifestState state) {
  switch (state) {
    case ManifestState::none: return "none";
    case ManifestState::valid: return "valid";
    case ManifestState::untrusted: return "untrusted";
    case ManifestState::invalid: return "invalid";
  }
  return "";
}

ManifestReport parse_reader_json(const Json& json) {
  ManifestReport report;
  const std::string state = text(json, "validation_state");
  report.state = state == "Trusted" ? ManifestState::valid
                 : state == "Valid" ? ManifestState::untrusted
                                    : ManifestState::invalid;
  for (const Json& status : list(json, "validation_status")) {
    const std::string code = text(status, "code");
    if (std::ranges::find(report.problems, code) == report.problems.end()) report.problems.push_back(code);
  }
  report.label = text(json, "active_manifest");
  report.validation_results = member(json, "validation_results");
  read_active(member(member(json, "manifests"), report.label), report);
  return report;
}

ManifestReport read_manifest(const fs::path& path, const ReadOptions& options) {
  const C2paLibrary& library = c2pa_library();
  const MappedFile file = MappedFile::open(path).take();
  const AssetFormat& format = asset_format(file.bytes());
  const C2paHandle<C2paContext> context = make_c2pa_context(settings(options));
  const std::string type(format.media_type);
  const C2paInput stream(file.bytes());
  if (format.embeds_manifest) {
    C2paHandle<C2paReader> reader(library.reader_from_context(context.get()));
    reader.reset(library.reader_with_stream(reader.release(), type.c_str(), stream.get()));
    const ManifestReport report = reader ? report_of(reader.get()) : report_of_failure(c2pa_error_text());
    if (report.state != ManifestState::none) return report;
  }
  const fs::path beside = sidecar_of(path);
  std::error_code error;
  if (!fs::exists(beside, error)) return {};
  const std::string manifest = read_text_file(beside, kMaxSidecar).take();
  const C2paInput again(file.bytes());
  C2paHandle<C2paReader> reader(library.reader_from_context(context.get()));
  reader.reset(library.reader_with_manifest_data_and_stream(
      reader.release(), type.c_str(), again.get(), reinterpret_cast<const unsigned char*>(manifest.data()),
      manifest.size()));
  ManifestReport report = reader ? report_of(reader.get()) : report_of_failure(c2pa_error_text());
  report.sidecar = beside;
  return report;
}

}  // namespace maquette::marks
