#include "production/entities.h"

#include <algorithm>
#include <map>

#include "base/identifiers.h"
#include "base/text.h"
#include "production/references.h"

namespace maquette::production {

namespace {

constexpr std::string_view kStatuses[] = {"standby", "running", "complete", "canceled"};

// What lists search in. SQLite's lower() knows A to Z only, so do we: accents are compared as typed.
std::string search_text(std::string_view path, std::string_view name) {
  return lower_ascii(fmt::format("{}\n{}", path, name));
}

// A task as a board's filters find it: "TYPE:STATUS;", the last parts of their ids, which are random. Either
// may be empty to find any.
std::string task_state(const std::string& type_id, const std::string& status_id) {
  const auto end = [](const std::string& id) {
    return id.substr(id.size() - std::min<size_t>(id.size(), 12));
  };
  if (status_id.empty()) return end(type_id) + ":";
  return fmt::format("{}:{};", end(type_id), end(status_id));
}

bool may_hold(std::string_view parent_kind, std::string_view kind) {
  if (kind == "sequence") return parent_kind == "episode";
  if (kind == "shot") return parent_kind == "sequence" || parent_kind == "episode";
  return false;
}

}  // namespace

std::string create_entity(const Change& change, const db::Row& show, const NewEntity& entity) {
  require_one_of(kEntityKinds, entity.kind, "kind");
  require_code(entity.code, entity.kind);
  if (!entity.name.empty()) require_name(entity.name, entity.kind);
  const std::string show_id = show.text("id");
  std::string path = entity.code;
  if (!entity.parent_id.empty()) {
    const db::Row parent = find_entity(*change, entity.parent_id);
    if (parent.text("show_id") != show_id || !may_hold(parent.text("kind"), entity.kind)) {
      throw Error(ErrorCode::usage, "{} \"{}\" cannot hold a {}", parent.text("kind"), parent.text("path"),
                  entity.kind)
          .with("expected", "episodes hold sequences and shots, sequences hold shots");
    }
    path = parent.text("path") + "/" + entity.code;
  }
  if (entity.kind == "asset") {
    if (entity.asset_type.empty())
      throw Error(ErrorCode::usage, "an asset needs a type")
          .hint("background, texture, set-element, prop, concept");
    find_type(*change, "asset_types", show_id, entity.asset_type);
  }
  if (!entity.data.is_object()) throw Error(ErrorCode::usage, "\"data\" is no object");
  const std::string id = new_uuid();
  change->insert("entities", {{"id", id},
                              {"show_id", show_id},
                              {"parent_id", db::or_null(entity.parent_id)},
                              {"kind", entity.kind},
                              {"asset_type", entity.asset_type},
                              {"code", entity.code},
                              {"path", path},
                              {"name", entity.name},
                              {"brief", entity.brief},
                              {"data", entity.data.dump()},
                              {"search_text", search_text(path, entity.name)},
                              {"created_at", utc_now()}});
  change.log(
      {.action = fmt::format("{}:create", entity.kind),
       .subject_kind = entity.kind,
       .subject_id = id,
       .subject_name = show.text("code") + "/" + path,
       .show_id = show_id,
       .after = {{"path", path}, {"name", entity.name}, {"brief", entity.brief}, {"data", entity.data}}});
  return id;
}

void update_entity(const Change& change, const db::Row& entity, const EntityUpdate& update) {
  require_version(entity, update.seen_version);
  if (update.status) require_one_of(kStatuses, *update.status, "status of a shot or asset");
  if (update.name && !update.name->empty()) require_name(*update.name, entity.text("kind"));
  if (update.asset_type) find_type(*change, "asset_types", entity.text("show_id"), *update.asset_type);
  db::Bindings columns = {{"version", entity.integer("version") + 1}};
  Json before, after;
  const auto set = [&](const char* column, const std::optional<std::string>& value) {
    if (!value || *value == entity.text(column)) return;
    columns.push_back({column, *value});
    before[column] = entity.text(column);
    after[column] = *value;
  };
  set("name", update.name);
  if (after.contains("name"))
    columns.push_back({"search_text", search_text(entity.text("path"), *update.name)});
  set("brief", update.brief);
  set("status", update.status);
  set("asset_type", update.asset_type);
  if (update.data.is_object()) {
    Json data = json_of(entity, "data");
    before["data"] = data;
    data.merge_patch(update.data);  // RFC 7386: null removes
    after["data"] = data;
    columns.push_back({"data", data.dump()});
  }
  if (columns.size() == 1) return;
  change->update("entities", columns, {"id", entity.text("id")});
  change.log({.action = entity.text("kind") + ":update",
              .subject_kind = entity.text("kind"),
              .subject_id = entity.text("id"),
              .subject_name = entity.text("path"),
              .show_id = entity.text("show_id"),
              .before = before,
              .after = after});
}

namespace {

constexpr std::string_view kEntityColumns =
    "e.*, (SELECT t.thumbnail FROM takes t WHERE t.id = e.thumbnail_take_id AND t.purged_at IS NULL) AS "
    "thumbnail";

Json document_of(const db::Row& entity) {
  return {{"id", entity.text("id")},
          {"show_id", entity.text("show_id")},
          {"parent_id", text_or_null(entity, "parent_id")},
          {"kind", entity.text("kind")},
          {"asset_type", entity.text("asset_type")},
          {"code", entity.text("code")},
          {"path", entity.text("path")},
          {"name", entity.text("name")},
          {"brief", entity.text("brief")},
          {"status", entity.text("status")},
          {"data", json_of(entity, "data")},
          {"thumbnail", text_or_null(entity, "thumbnail")},
          {"created_at", entity.text("created_at")},
          {"version", entity.integer("version")}};
}

}  // namespace

Json entity_document(db::Connection& c, const db::Row& entity) {
  return document_of(*c.first(fmt::format("SELECT {} FROM entities e WHERE e.id = :id", kEntityColumns),
                              {{"id", entity.text("id")}}));
}

void refresh_task_states(const Change& change, std::string_view entity_id) {
  std::string states;
  for (const db::Row& task :
       change->query("SELECT task_type_id, status_id FROM tasks WHERE entity_id = :e ORDER BY task_type_id",
                     {{"e", std::string(entity_id)}})) {
    states += task_state(task.text("task_type_id"), task.text("status_id"));
  }
  change->update("entities", {{"task_states", states}}, {"id", std::string(entity_id)});
}

namespace {

// One pass over an index that holds everything asked for (entities_by_kind, entities_by_path) finds the lines
// of a page; then those are read. `i` is the entity in the index.
struct Pass {
  Conditions where;
  db::Backend backend;

  void contains(std::string_view column, std::string_view name, const std::string& part) {
    where.add(
        fmt::format("{}({}, :{}) > 0", backend == db::Backend::sqlite ? "instr" : "strpos", column, name),
        name, part);
  }
  void search(const std::string& text) {
    if (!text.empty()) contains("i.search_text", "search", lower_ascii(text));
  }
  std::vector<db::Row> page(db::Connection& c, const PageQuery& query, int64_t offset = 0) const {
    Conditions lines = where;
    if (!query.after.empty()) lines.add("i.path > :after", "after", query.after);
    return c.query(
        fmt::format("SELECT {} FROM (SELECT i.seq FROM entities i{} ORDER BY i.path LIMIT :limit OFFSET {}) "
                    "p JOIN entities e ON e.seq = p.seq ORDER BY e.path",
                    kEntityColumns, lines.where(), offset),
        lines.bindings(query));
  }
  // The same with `total`, the lines of all pages: half the time of a page and a count where few lines fit,
  // twice where most do.
  std::vector<db::Row> counted_page(db::Connection& c, const PageQuery& query, int64_t offset) const {
    Conditions lines = where;
    lines.bind("after", query.after);
    return c.query(
        fmt::format(
            "SELECT p.total, {} FROM (SELECT a.seq, a.total FROM (SELECT i.seq, i.path, count(*) "
            "OVER () AS total FROM entities i{}) a WHERE a.path > :after ORDER BY a.path LIMIT :limit "
            "OFFSET {}) p JOIN entities e ON e.seq = p.seq ORDER BY e.path",
            kEntityColumns, where.where(), offset),
        lines.bindings(query));
  }
  int64_t total(db::Connection& c) const {
    return c.first("SELECT count(*) AS n FROM entities i" + where.where(), where.bindings())->integer("n");
  }
};

}  // namespace

Page entities(db::Connection& c, const EntityQuery& query) {
  Pass pass{.where = {}, .backend = c.backend()};
  if (query.parent_id.empty()) {
    pass.where.add("i.show_id = :show", "show", query.show_id);
  } else {
    pass.where.add("i.parent_id = :parent", "parent", query.parent_id);
    pass.where.add(fmt::format("{} = :show", without_index("i.show_id")), "show", query.show_id);
  }
  if (!query.kind.empty()) {
    require_one_of(kEntityKinds, query.kind, "kind");
    pass.where.add("i.kind = :kind", "kind", query.kind);
  }
  if (!query.asset_type.empty()) pass.where.add("i.asset_type = :type", "type", query.asset_type);
  if (!query.status.empty()) pass.where.add("i.status = :status", "status", query.status);
  pass.search(query.search);
  return page_of(pass.page(c, query.page), query.page, "path", document_of);
}

// --- the board ---

namespace {

Pass board_pass(db::Connection& c, const BoardQuery& query) {
  Pass pass{.where = {}, .backend = c.backend()};
  pass.where.add("i.show_id = :show", "show", query.show_id);
  require_one_of(kEntityKinds, query.kind, "kind");
  pass.where.add("i.kind = :kind", "kind", query.kind);
  pass.search(query.search);
  if (!query.task_type_id.empty() || !query.status_id.empty())
    pass.contains("i.task_states", "state", task_state(query.task_type_id, query.status_id));
  return pass;
}

// The tasks of many entities at once: one question for a page instead of one for each line.
void add_tasks(db::Connection& c, std::vector<Json>& items) {
  std::vector<std::string> ids;
  std::map<std::string, Json*> by_id;
  for (Json& item : items) {
    ids.push_back(item["entity"]["id"]);
    by_id[ids.back()] = &item;
  }
  if (ids.empty()) return;
  const IdList list(ids);
  for (const db::Row& row : c.query(fmt::format("SELECT k.*, y.code AS type_code, y.name AS type_name, "
                                                "s.code AS status_code, s.name AS status_name, s.color AS "
                                                "status_color, (SELECT t.thumbnail FROM takes t WHERE t.id = "
                                                "k.approved_take_id) AS thumbnail FROM tasks k JOIN "
                                                "task_types y ON y.id = k.task_type_id JOIN task_statuses s "
                                                "ON s.id = k.status_id WHERE k.entity_id IN ({}) ORDER "
                                                "BY y.position, y.code",
                                                list.text()),
                                    list.bindings())) {
    (*by_id[row.text("entity_id")])["tasks"].push_back(
        {{"id", row.text("id")},
         {"task_type",
          {{"id", row.text("task_type_id")},
           {"code", row.text("type_code")},
           {"name", row.text("type_name")}}},
         {"status",
          {{"id", row.text("status_id")},
           {"code", row.text("status_code")},
           {"name", row.text("status_name")},
           {"color", row.text("status_color")}}},
         {"take_count", row.integer("take_count")},
         {"retake_count", row.integer("retake_count")},
         {"approved_take_id", text_or_null(row, "approved_take_id")},
         {"thumbnail", text_or_null(row, "thumbnail")}});
  }
  for (const char* side : {"shot_id", "asset_id"}) {
    for (const db::Row& row :
         c.query(fmt::format("SELECT {0} AS id, count(*) AS n FROM castings WHERE {0} IN ({1}) GROUP BY {0}",
                             side, list.text()),
                 list.bindings())) {
      (*by_id[row.text("id")])["casting_count"] = row.integer("n");
    }
  }
}

}  // namespace

Board board(db::Connection& c, const BoardQuery& query) {
  const Pass pass = board_pass(c, query);
  // What few lines fit, as far as one can know: a longer text.
  const bool counted = query.search.size() > 3 && c.backend() == db::Backend::postgresql;
  const auto rows =
      counted ? pass.counted_page(c, query.page, query.offset) : pass.page(c, query.page, query.offset);
  Board board;
  board.page = page_of(rows, query.page, "path", [](const db::Row& row) {
    return Json{{"entity", document_of(row)}, {"tasks", Json::array()}, {"casting_count", 0}};
  });
  add_tasks(c, board.page.items);
  const bool whole = query.page.after.empty() && query.offset == 0 && board.page.next.empty();
  if (whole) {
    board.total = static_cast<int64_t>(board.page.items.size());
  } else if (counted && !rows.empty()) {
    board.total = rows[0].integer("total");
  } else {
    board.total = pass.total(c);
  }
  return board;
}

// --- casting ---

std::vector<Json> casting(db::Connection& c, const db::Row& entity) {
  const bool of_asset = entity.text("kind") == "asset";
  std::vector<Json> list;
  for (const db::Row& row : c.query(
           fmt::format("SELECT {}, g.count AS casting_count, g.label AS casting_label FROM castings g JOIN "
                       "entities e ON e.id = g.{} WHERE g.{} = :id ORDER BY e.path",
                       kEntityColumns, of_asset ? "shot_id" : "asset_id", of_asset ? "asset_id" : "shot_id"),
           {{"id", entity.text("id")}})) {
    list.push_back({{"entity", document_of(row)},
                    {"count", row.integer("casting_count")},
                    {"label", row.text("casting_label")}});
  }
  return list;
}

void cast(const Change& change, const db::Row& shot, const db::Row& asset, int64_t count,
          const std::string& label) {
  if (asset.text("kind") != "asset" || shot.text("kind") == "asset") {
    throw Error(ErrorCode::usage, "assets are cast in shots")
        .with("found", fmt::format("{} in {}", asset.text("kind"), shot.text("kind")));
  }
  if (shot.text("show_id") != asset.text("show_id"))
    throw Error(ErrorCode::usage, "the asset belongs to another show");
  if (count < 0 || count > 100000) throw Error(ErrorCode::usage, "cannot cast an asset {} times", count);
  const db::Bindings both = {{"shot", shot.text("id")}, {"asset", asset.text("id")}};
  const auto now = change->first("SELECT * FROM castings WHERE shot_id = :shot AND asset_id = :asset", both);
  if (!now && count == 0) return;
  change->execute("DELETE FROM castings WHERE shot_id = :shot AND asset_id = :asset", both);
  if (count > 0) {
    change->insert(
        "castings",
        {{"shot_id", shot.text("id")}, {"asset_id", asset.text("id")}, {"count", count}, {"label", label}});
  }
  const auto said = [&](int64_t n, const std::string& text) {
    return Json{{"asset", asset.text("path")}, {"count", n}, {"label", text}};
  };
  change.log({.action = "shot:casting-update",
              .subject_kind = shot.text("kind"),
              .subject_id = shot.text("id"),
              .subject_name = shot.text("path"),
              .show_id = shot.text("show_id"),
              .before = now ? said(now->integer("count"), now->text("label")) : Json(),
              .after = said(count, label)});
}

}  // namespace maquette::production
