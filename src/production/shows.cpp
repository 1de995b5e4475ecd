#include "production/shows.h"

#include "base/identifiers.h"
#include "base/text.h"
#include "production/entities.h"
#include "production/jobs.h"
#include "production/path_template.h"
#include "production/permissions.h"
#include "production/references.h"

namespace maquette::production {

namespace {

struct Status {
  const char* code;
  const char* name;
  const char* color;
  std::vector<std::string_view> flags;
};

// Names, colours and flags that people know from Kitsu.
const std::vector<Status>& first_statuses() {
  static const std::vector<Status> list = {
      {"todo", "Todo", "#f5f5f5", {"is_default"}},
      {"ready", "Ready To Start", "#fbc02d", {}},
      {"wip", "Work In Progress", "#3273dc", {"is_wip"}},
      {"wfa", "Waiting For Approval", "#ab26ff", {"is_feedback_request"}},
      {"retake", "Retake", "#ff3860", {"is_retake"}},
      {"done", "Done", "#22d160", {"is_done"}},
  };
  return list;
}

// What the artist may not set by themselves.
bool is_artists(std::string_view code) { return code != "done" && code != "retake" && code != "ready"; }

constexpr std::string_view kFlags[] = {
    "is_default",        "is_wip",  "is_done", "is_retake", "is_feedback_request", "is_artist_allowed",
    "is_client_allowed", "archived"};

constexpr std::pair<const char*, const char*> kTaskTypes[] = {{"concept", "Concept"},
                                                              {"layout", "Layout"},
                                                              {"background", "Background"},
                                                              {"texture", "Texture"},
                                                              {"paint", "Paint"}};
constexpr std::pair<const char*, const char*> kAssetTypes[] = {{"background", "Background"},
                                                               {"texture", "Texture"},
                                                               {"set-element", "Set element"},
                                                               {"prop", "Prop"},
                                                               {"concept", "Concept"}};

constexpr double kLargestSetting = 1e6;

// A name is made of it once, so that it fails now and not at the delivery.
void require_path_template(const std::string& text) {
  file_name(text, {.texts = {{"show", "show"},
                             {"episode", "ep01"},
                             {"sequence", "sq010"},
                             {"shot", "sh020"},
                             {"asset", "lamp"},
                             {"path", "sq010_sh020"},
                             {"task", "background"},
                             {"name", "name"}},
                   .numbers = {{"version", 1}, {"take", 1}}});
}

void require_quotas(const Json& quotas) {
  for (const auto& [role, count] : quotas.items()) {
    role_named(role);
    if (count.is_null()) continue;
    if (!count.is_number_integer() || count.get<int64_t>() < 0 || count.get<int64_t>() > kMostWaiting) {
      throw Error(ErrorCode::usage, "cannot use the quota of the role \"{}\"", role)
          .with("found", count.dump().substr(0, 80))
          .with("expected", fmt::format("0 to {} pictures", kMostWaiting));
    }
  }
}

void require_settings(const Json& settings) {
  for (const auto& [name, value] : settings.items()) {
    const auto known = default_settings().find(name);
    if (known == default_settings().end()) {
      std::vector<std::string> names;
      for (const auto& [key, unused] : default_settings().items()) names.push_back(key);
      Error error(ErrorCode::usage, "shows have no setting \"{}\"", name);
      error.with("expected", fmt::format("{}", fmt::join(names, ", ")));
      if (const auto meant = did_you_mean(name, names)) error.hint("did you mean \"{}\"?", *meant);
      throw error;
    }
    if (value.is_null()) continue;
    const bool is_kind = known->is_number_integer() ? value.is_number_integer()
                         : known->is_number()       ? value.is_number()
                                                    : value.type() == known->type();
    const bool fits = is_kind && (!value.is_number() ||
                                  (value.get<double>() >= 0 && value.get<double>() <= kLargestSetting));
    if (!fits) {
      throw Error(ErrorCode::usage, "cannot use the value of the setting \"{}\"", name)
          .with("found", value.dump().substr(0, 80))
          .with("expected", known->dump());
    }
    if (name == "path_template") require_path_template(value.get<std::string>());
    if (name == "quotas") require_quotas(value);
  }
}

bool is_color(std::string_view text) {
  return text.empty() || (text.size() == 7 && text[0] == '#' &&
                          text.find_first_not_of("0123456789abcdefABCDEF", 1) == text.npos);
}

}  // namespace

const Json& default_settings() {
  static const Json settings = {{"width", 1920},
                                {"height", 1080},
                                {"overscan", 0.0},
                                {"fps", 24.0},
                                {"path_template", "{show}_{path}_{task}_v{version:03}_t{take:02}"},
                                {"max_retakes", 0},
                                {"color_config", ""},
                                {"quotas", Json::object()}};
  return settings;
}

std::string create_show(const Change& change, const NewShow& show) {
  require_code(show.code, "a show");
  require_name(show.name, "a show");
  require_settings(show.settings);
  Json settings = default_settings();
  settings.merge_patch(show.settings);
  const std::string id = new_uuid();
  change->insert("shows", {{"id", id},
                           {"code", show.code},
                           {"name", show.name},
                           {"root", show.root.empty() ? "shows/" + show.code : show.root},
                           {"settings", settings.dump()},
                           {"created_at", utc_now()}});
  int64_t position = 0;
  for (const Status& status : first_statuses()) {
    db::Bindings columns = {{"id", new_uuid()},
                            {"show_id", id},
                            {"code", status.code},
                            {"name", status.name},
                            {"color", status.color},
                            {"position", position++},
                            {"is_artist_allowed", int64_t{is_artists(status.code)}}};
    for (const std::string_view flag : status.flags) columns.push_back({flag, int64_t{1}});
    change->insert("task_statuses", columns);
  }
  for (const auto& [code, name] : kTaskTypes) {
    change->insert(
        "task_types",
        {{"id", new_uuid()}, {"show_id", id}, {"code", code}, {"name", name}, {"position", position++}});
  }
  for (const auto& [code, name] : kAssetTypes) {
    change->insert("asset_types", {{"id", new_uuid()}, {"show_id", id}, {"code", code}, {"name", name}});
  }
  change.log({.action = "show:create",
              .subject_kind = "show",
              .subject_id = id,
              .subject_name = show.code,
              .show_id = id,
              .after = {{"code", show.code}, {"name", show.name}, {"settings", settings}}});
  return id;
}

void update_show(const Change& change, const db::Row& show, const ShowUpdate& update) {
  require_version(show, update.seen_version);
  db::Bindings columns = {{"version", show.integer("version") + 1}};
  Json before, after;
  const auto set = [&](std::string_view column, const std::optional<std::string>& value) {
    if (!value || *value == show.text(column)) return;
    columns.push_back({column, *value});
    before[std::string(column)] = show.text(column);
    after[std::string(column)] = *value;
  };
  if (update.name) require_name(*update.name, "a show");
  if (update.status && *update.status != "open" && *update.status != "closed") {
    throw Error(ErrorCode::usage, "a show is \"open\" or \"closed\"").with("found", *update.status);
  }
  if (update.root && update.root->empty()) throw Error(ErrorCode::usage, "a show needs a folder");
  set("name", update.name);
  set("root", update.root);
  set("status", update.status);
  if (update.settings.is_object()) {
    require_settings(update.settings);
    Json settings = json_of(show, "settings");
    before["settings"] = settings;
    settings.merge_patch(update.settings);  // RFC 7386: null removes, and the default holds again
    after["settings"] = settings;
    columns.push_back({"settings", settings.dump()});
  }
  if (columns.size() == 1) return;
  change->update("shows", columns, {"id", show.text("id")});
  change.log({.action = "show:update",
              .subject_kind = "show",
              .subject_id = show.text("id"),
              .subject_name = show.text("code"),
              .show_id = show.text("id"),
              .before = before,
              .after = after});
}

Json show_document(db::Connection& c, const db::Row& show, bool with_counts) {
  const std::string id = show.text("id");
  Json settings = default_settings();
  settings.update(json_of(show, "settings"));
  Json document = {{"id", id},
                   {"code", show.text("code")},
                   {"name", show.text("name")},
                   {"root", show.text("root")},
                   {"status", show.text("status")},
                   {"settings", settings},
                   {"created_at", show.text("created_at")},
                   {"version", show.integer("version")}};
  if (with_counts) {
    const auto count = [&](std::string_view question) {
      return c.first(fmt::format("SELECT count(*) AS n FROM {}", question), {{"s", id}})->integer("n");
    };
    // Takes are counted on their tasks: a million of them need not be walked.
    document["counts"] = {
        {"shots", count("entities WHERE show_id = :s AND kind = 'shot'")},
        {"assets", count("entities WHERE show_id = :s AND kind = 'asset'")},
        {"tasks", count("tasks WHERE show_id = :s")},
        {"takes",
         c.first("SELECT sum(take_count) AS n FROM tasks WHERE show_id = :s", {{"s", id}})->integer("n")}};
  }
  return document;
}

// --- statuses and types ---

Json status_document(const db::Row& status) {
  Json document = {{"id", status.text("id")},
                   {"code", status.text("code")},
                   {"name", status.text("name")},
                   {"color", status.text("color")},
                   {"position", status.integer("position")}};
  for (const std::string_view flag : kFlags) document[std::string(flag)] = status.flag(flag);
  document["version"] = version_of(document);
  return document;
}

Json type_document(const db::Row& type, std::string_view table) {
  Json document = {{"id", type.text("id")}, {"code", type.text("code")}, {"name", type.text("name")}};
  if (table == "task_types") {
    document["color"] = type.text("color");
    document["for_kind"] = type.text("for_kind");
    document["archived"] = type.flag("archived");
  }
  return document;
}

std::vector<Json> statuses(db::Connection& c, std::string_view show_id) {
  std::vector<Json> list;
  for (const db::Row& row : c.query("SELECT * FROM task_statuses WHERE show_id = :s ORDER BY position, code",
                                    {{"s", std::string(show_id)}})) {
    list.push_back(status_document(row));
  }
  return list;
}

namespace {

// Columns of task_statuses from the fields of a document.
db::Bindings status_columns(const Json& fields) {
  db::Bindings columns;
  for (const auto& [name, value] : fields.items()) {
    if (name == "name" && value.is_string()) {
      require_name(value.get<std::string>(), "a status");
      columns.push_back({"name", value.get<std::string>()});
    } else if (name == "color" && value.is_string() && is_color(value.get<std::string>())) {
      columns.push_back({"color", value.get<std::string>()});
    } else if (name == "position" && value.is_number_integer()) {
      columns.push_back({"position", value.get<int64_t>()});
    } else if (const auto flag = std::ranges::find(kFlags, std::string_view(name));
               flag != std::end(kFlags) && value.is_boolean()) {
      columns.push_back({*flag, int64_t{value.get<bool>()}});
    } else if (name != "code") {
      throw Error(ErrorCode::usage, "cannot use \"{}\" for a status", name)
          .with("found", value.dump().substr(0, 80))
          .with("expected", "name, color (#rrggbb), position, or a flag that is true or false");
    }
  }
  return columns;
}

// One default, and a way to finish.
void require_complete(const Change& change, const std::string& show_id, std::string_view new_default) {
  if (!new_default.empty()) {
    change->execute("UPDATE task_statuses SET is_default = 0 WHERE show_id = :s AND id <> :i",
                    {{"s", show_id}, {"i", std::string(new_default)}});
  }
  for (const char* flag : {"is_default", "is_done"}) {
    if (change->first(
            fmt::format("SELECT id FROM task_statuses WHERE show_id = :s AND {} = 1 AND archived = 0", flag),
            {{"s", show_id}})) {
      continue;
    }
    throw Error(ErrorCode::usage, "a show needs a status that {}",
                std::string_view(flag) == "is_done" ? "ends a task" : "a task begins with")
        .hint("give another status the flag {} first", flag);
  }
}

}  // namespace

std::string create_status(const Change& change, const db::Row& show, const Json& fields) {
  const std::string code = fields.value("code", "");
  require_code(code, "a status");
  db::Bindings columns = status_columns(fields);
  if (!fields.contains("name")) columns.push_back({"name", code});
  const std::string id = new_uuid();
  columns.insert(columns.end(), {{"id", id}, {"show_id", show.text("id")}, {"code", code}});
  change->insert("task_statuses", columns);
  require_complete(change, show.text("id"), fields.value("is_default", false) ? id : "");
  change.log({.action = "status:create",
              .subject_kind = "status",
              .subject_id = id,
              .subject_name = code,
              .show_id = show.text("id"),
              .after = fields});
  return id;
}

void update_status(const Change& change, const db::Row& show, const db::Row& status, const Json& fields) {
  const db::Bindings columns = status_columns(fields);
  if (columns.empty()) return;
  const std::string id = status.text("id");
  change->update("task_statuses", columns, {"id", id});
  require_complete(change, show.text("id"), fields.value("is_default", false) ? id : "");
  change.log({.action = "status:update",
              .subject_kind = "status",
              .subject_id = id,
              .subject_name = status.text("code"),
              .show_id = show.text("id"),
              .before = status_document(status),
              .after = fields});
}

namespace {

std::string create_type(const Change& change, const db::Row& show, std::string_view table,
                        std::string_view kind, const Json& fields) {
  const std::string code = fields.value("code", "");
  require_code(code, kind == "task-type" ? "a task type" : "an asset type");
  const std::string name = fields.value("name", code);
  require_name(name, "a type");
  const std::string id = new_uuid();
  db::Bindings columns = {{"id", id}, {"show_id", show.text("id")}, {"code", code}, {"name", name}};
  if (kind == "task-type") {
    const std::string for_kind = fields.value("for_kind", "");
    if (!for_kind.empty()) require_one_of(kEntityKinds, for_kind, "kind");
    const std::string color = fields.value("color", "");
    if (!is_color(color))
      throw Error(ErrorCode::usage, "cannot use the colour \"{}\"", color).with("expected", "#rrggbb");
    columns.insert(columns.end(), {{"for_kind", for_kind}, {"color", color}});
  }
  change->insert(table, columns);
  change.log({.action = fmt::format("{}:create", kind),
              .subject_kind = kind,
              .subject_id = id,
              .subject_name = code,
              .show_id = show.text("id"),
              .after = fields});
  return id;
}

}  // namespace

std::string create_task_type(const Change& change, const db::Row& show, const Json& fields) {
  return create_type(change, show, "task_types", "task-type", fields);
}

std::string create_asset_type(const Change& change, const db::Row& show, const Json& fields) {
  return create_type(change, show, "asset_types", "asset-type", fields);
}

}  // namespace maquette::production
