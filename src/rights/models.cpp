#include "rights/models.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "rights/documents.h"

namespace maquette::rights {

namespace {

constexpr std::array<std::string_view, 5> kTrainings = {"disclosed", "partly", "undisclosed", "contested",
                                                        "unknown"};
constexpr std::string_view kFields[] = {"name",     "kind",   "sha256",   "claimed_tensors",
                                        "tensors",  "source", "licence",  "training",
                                        "evidence", "bases",  "datasets", "notes"};
constexpr std::string_view kClaimFields[] = {"id", "claimed_by", "where", "snapshot_sha256", "snapshot_date"};

LicenceClaim claim_from_json(const Json& json) {
  if (json.is_null()) return {};
  const Fields fields(json, "a licence claim", kClaimFields);
  LicenceClaim claim{.id = fields.text("id"),
                     .claimed_by = fields.text("claimed_by"),
                     .where = fields.text("where"),
                     .snapshot_sha256 = fields.text("snapshot_sha256"),
                     .snapshot_date = fields.text("snapshot_date")};
  claim.id = licence_id(claim.id);
  if (!claim.snapshot_sha256.empty()) {
    require_sha256(claim.snapshot_sha256, "the licence's snapshot");
    require_date(claim.snapshot_date, "the licence's snapshot");
  }
  return claim;
}

void add_new(std::vector<std::string>& list, std::string_view text) {
  if (!text.empty() && std::ranges::find(list, text) == list.end()) list.emplace_back(text);
}

// Depth first. `path` holds the records between the first and this one.
void collect(const ModelRecord& record, const Register& models, std::vector<std::string_view>& path,
             Lineage& lineage) {
  if (std::ranges::find(path, record.name) != path.end()) {
    path.push_back(record.name);
    throw Error(ErrorCode::refused, "the register says that \"{}\" comes from itself", record.name)
        .with("found", fmt::format("{}", fmt::join(path, " <- ")))
        .hint("correct the bases: maquette model set");
  }
  if (std::ranges::find(lineage.records, record.name, &ModelRecord::name) != lineage.records.end()) return;
  lineage.records.push_back(&record);
  path.push_back(record.name);
  const auto follow = [&](const std::string& name) {
    const auto found = models.find(name);
    if (found != models.end()) {
      collect(found->second, models, path, lineage);
    } else {
      add_new(lineage.missing, name);
    }
  };
  if (record.bases) std::ranges::for_each(*record.bases, follow);
  std::ranges::for_each(record.datasets, follow);
  path.pop_back();
}

// The worse of two, in the order of the second argument's list: contested is worst, since somebody objects.
Training worse(Training a, Training b) {
  constexpr std::array kOrder = {Training::disclosed, Training::partly, Training::undisclosed,
                                 Training::unknown, Training::contested};
  return std::max(a, b, [&](Training x, Training y) {
    return std::ranges::find(kOrder, x) < std::ranges::find(kOrder, y);
  });
}

Answer worse(Answer a, Answer b) {
  if (a == Answer::no || b == Answer::no) return Answer::no;
  return a == Answer::unknown || b == Answer::unknown ? Answer::unknown : Answer::yes;
}

// Points of one record; their sum is kept within 100.
Opacity opacity_of(const ModelRecord& record) {
  Opacity opacity;
  const auto add = [&](bool counts, int points, std::string_view reason) {
    if (!counts) return;
    opacity.score = std::min(100, opacity.score + points);
    opacity.reasons.push_back(fmt::format("{} {}: {}", points, record.name, reason));
  };
  const bool known = find_licence(record.licence.id) != nullptr;
  add(record.licence.id.empty(), 25, "nobody has said its licence");
  add(!record.licence.id.empty() && !known, 20, "its licence is not in the table");
  add(record.licence.snapshot_sha256.empty(), 10, "no snapshot of the licence text was kept");
  add(record.training == Training::unknown || record.training == Training::undisclosed, 30,
      "what it was trained on is not known");
  add(record.training == Training::contested, 30, "what it was trained on is contested");
  add(record.training == Training::partly, 15, "what it was trained on is only partly known");
  add(record.evidence.empty(), 5, "nothing shows what it was trained on");
  add(!record.bases, 10, "what it was made from is not known");
  add(record.source.empty(), 10, "where it was got is not known");
  add(record.sha256.empty() && record.kind != "dataset", 10, "its file was not hashed");
  add(!record.claimed_tensors.empty() && record.claimed_tensors != record.tensors, 15,
      "its file names another hash of its tensors than they have");
  return opacity;
}

}  // namespace

std::string_view name(Training training) { return kTrainings[static_cast<size_t>(training)]; }

Training training_named(std::string_view text) {
  const auto found = std::ranges::find(kTrainings, text);
  if (found == kTrainings.end()) {
    throw Error(ErrorCode::usage, "cannot use this state of the training data")
        .with("found", text.substr(0, 80))
        .with("expected", fmt::format("{}", fmt::join(kTrainings, ", ")));
  }
  return static_cast<Training>(found - kTrainings.begin());
}

Json to_json(const ModelRecord& record) {
  return {{"name", record.name},
          {"kind", record.kind},
          {"sha256", record.sha256},
          {"claimed_tensors", record.claimed_tensors},
          {"tensors", record.tensors},
          {"source", record.source},
          {"licence",
           {{"id", record.licence.id},
            {"claimed_by", record.licence.claimed_by},
            {"where", record.licence.where},
            {"snapshot_sha256", record.licence.snapshot_sha256},
            {"snapshot_date", record.licence.snapshot_date}}},
          {"training", name(record.training)},
          {"evidence", record.evidence},
          {"bases", record.bases ? Json(*record.bases) : Json()},
          {"datasets", record.datasets},
          {"notes", record.notes}};
}

ModelRecord model_record_from_json(const Json& json) {
  const Fields fields(json, "a model's record", kFields);
  ModelRecord record{.name = fields.text("name"),
                     .kind = fields.text("kind"),
                     .sha256 = fields.text("sha256"),
                     .claimed_tensors = fields.text("claimed_tensors"),
                     .tensors = fields.text("tensors"),
                     .source = fields.text("source"),
                     .licence = claim_from_json(fields.value("licence")),
                     .training = training_named(fields.text("training", "unknown")),
                     .evidence = fields.texts("evidence").value_or(std::vector<std::string>()),
                     .bases = fields.texts("bases"),
                     .datasets = fields.texts("datasets").value_or(std::vector<std::string>()),
                     .notes = fields.text("notes")};
  if (record.name.empty()) throw Error(ErrorCode::usage, "a model's record has no name");
  if (!record.sha256.empty()) require_sha256(record.sha256, "the model");
  return record;
}

Lineage lineage_of(const ModelRecord& record, const Register& models) {
  Lineage lineage;
  std::vector<std::string_view> path;
  collect(record, models, path, lineage);
  return lineage;
}

Terms terms_of(const Lineage& lineage) {
  Terms terms;
  for (const ModelRecord* record : lineage.records) {
    terms.training = worse(terms.training, record->training);
    if (!record->bases && record->kind != "dataset")
      terms.commercial = worse(terms.commercial, Answer::unknown);
    const Licence* licence = find_licence(record->licence.id);
    add_new(terms.licences, record->licence.id.empty() ? "unknown" : record->licence.id);
    if (licence == nullptr) {
      terms.commercial = worse(terms.commercial, Answer::unknown);
      continue;
    }
    terms.commercial = worse(terms.commercial, licence->commercial);
    const int64_t cap = licence->revenue_cap_usd;
    if (cap > 0)
      terms.revenue_cap_usd = terms.revenue_cap_usd == 0 ? cap : std::min(terms.revenue_cap_usd, cap);
    terms.attribution = terms.attribution || licence->attribution;
    terms.share_alike = terms.share_alike || licence->share_alike;
    add_new(terms.restrictions, licence->restrictions);
    add_new(terms.outputs, licence->outputs);
    for (const std::string& territory : split(licence->excluded, ' ')) add_new(terms.excluded, territory);
  }
  if (!lineage.missing.empty()) {
    terms.commercial = worse(terms.commercial, Answer::unknown);
    terms.training = worse(terms.training, Training::unknown);
  }
  return terms;
}

Json to_json(const Terms& terms) {
  return {{"commercial", name(terms.commercial)},
          {"revenue_cap_usd", terms.revenue_cap_usd == 0 ? Json() : Json(terms.revenue_cap_usd)},
          {"attribution", terms.attribution},
          {"share_alike", terms.share_alike},
          {"training", name(terms.training)},
          {"licences", terms.licences},
          {"restrictions", terms.restrictions},
          {"outputs", terms.outputs},
          {"excluded", terms.excluded}};
}

Opacity opacity_of(const Lineage& lineage) {
  Opacity worst;
  for (const ModelRecord* record : lineage.records) {
    Opacity own = opacity_of(*record);
    worst.score = std::max(worst.score, own.score);
    worst.reasons.insert(worst.reasons.end(), own.reasons.begin(), own.reasons.end());
  }
  for (const std::string& name : lineage.missing) {
    worst.score = 100;
    worst.reasons.push_back(fmt::format("100 {}: not in the register", name));
  }
  return worst;
}

}  // namespace maquette::rights
