#include "production/references.h"

#include "base/identifiers.h"
#include "base/text.h"

namespace maquette::production {

namespace {

constexpr int kShown = 8;

std::string first_few(const std::vector<db::Row>& rows, std::string_view column) {
  std::vector<std::string> names;
  for (const db::Row& row : rows) names.push_back(row.text(column));
  return names.empty() ? "none yet" : fmt::format("{}", fmt::join(names, ", "));
}

Error missing(std::string_view what, std::string_view reference) {
  return Error(ErrorCode::not_found, "there is no {} \"{}\"", what, reference.substr(0, 200));
}

}  // namespace

db::Row find_show(db::Connection& c, std::string_view reference) {
  const std::string text(reference);
  if (auto row = c.first("SELECT * FROM shows WHERE code = :r OR id = :r2", {{"r", text}, {"r2", text}}))
    return *row;
  throw missing("show", reference)
      .with("expected",
            first_few(c.query(fmt::format("SELECT code FROM shows ORDER BY code LIMIT {}", kShown)), "code"));
}

db::Row find_entity(db::Connection& c, std::string_view reference) {
  if (is_uuid(reference)) {
    if (auto row = c.first("SELECT * FROM entities WHERE id = :r", {{"r", std::string(reference)}}))
      return *row;
    throw missing("shot or asset", reference);
  }
  const size_t slash = reference.find('/');
  if (slash == reference.npos) {
    throw missing("shot or asset", reference).with("expected", "SHOW/PATH, for example lanterns/sq010/sh020");
  }
  const db::Row show = find_show(c, reference.substr(0, slash));
  const std::string path(reference.substr(slash + 1));
  if (auto row = c.first("SELECT * FROM entities WHERE show_id = :s AND path = :p",
                         {{"s", show.text("id")}, {"p", path}})) {
    return *row;
  }
  const std::string parent = path.substr(0, path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1);
  throw missing("shot or asset", reference)
      .with("expected",
            first_few(
                c.query(
                    fmt::format(
                        "SELECT path FROM entities WHERE show_id = :s AND path >= :p ORDER BY path LIMIT {}",
                        kShown),
                    {{"s", show.text("id")}, {"p", parent}}),
                "path"));
}

db::Row find_task(db::Connection& c, std::string_view reference) {
  if (is_uuid(reference)) {
    if (auto row = c.first("SELECT * FROM tasks WHERE id = :r", {{"r", std::string(reference)}})) return *row;
    throw missing("task", reference);
  }
  const size_t colon = reference.rfind(':');
  if (colon == reference.npos) {
    throw missing("task", reference)
        .with("expected", "SHOW/PATH:TYPE, for example lanterns/sq010/sh020:background");
  }
  const db::Row entity = find_entity(c, reference.substr(0, colon));
  const db::Row type = find_type(c, "task_types", entity.text("show_id"), reference.substr(colon + 1));
  if (auto row = c.first("SELECT * FROM tasks WHERE entity_id = :e AND task_type_id = :t",
                         {{"e", entity.text("id")}, {"t", type.text("id")}})) {
    return *row;
  }
  throw missing("task", reference)
      .hint("maquette task create {} {}", reference.substr(0, colon), type.text("code"));
}

db::Row find_take(db::Connection& c, std::string_view reference) {
  if (is_uuid(reference)) {
    if (auto row = c.first("SELECT * FROM takes WHERE id = :r", {{"r", std::string(reference)}})) return *row;
    throw missing("take", reference);
  }
  // TASK/vNNN/tNN
  const size_t number_at = reference.rfind("/t");
  const size_t revision_at = number_at == reference.npos ? reference.npos : reference.rfind("/v", number_at);
  if (revision_at == reference.npos) {
    throw missing("take", reference)
        .with("expected", "SHOW/PATH:TYPE/vNNN/tNN, for example lanterns/sq010/sh020:background/v001/t02");
  }
  const db::Row task = find_task(c, reference.substr(0, revision_at));
  const auto revision = parse_integer(reference.substr(revision_at + 2, number_at - revision_at - 2));
  const auto number = parse_integer(reference.substr(number_at + 2));
  if (revision && number) {
    if (auto row = c.first("SELECT * FROM takes WHERE task_id = :t AND revision = :v AND number = :n",
                           {{"t", task.text("id")}, {"v", int64_t{*revision}}, {"n", int64_t{*number}}})) {
      return *row;
    }
  }
  std::vector<std::string> labels;
  for (const db::Row& row :
       c.query(fmt::format("SELECT revision, number FROM takes WHERE task_id = :t ORDER BY seq DESC LIMIT {}",
                           kShown),
               {{"t", task.text("id")}})) {
    labels.push_back(take_label(row.integer("revision"), row.integer("number")));
  }
  throw missing("take", reference)
      .with("expected", labels.empty() ? "none yet" : fmt::format("{}", fmt::join(labels, ", ")));
}

db::Row find_person(db::Connection& c, std::string_view login_or_id) {
  const std::string text(login_or_id);
  if (auto row = c.first("SELECT * FROM people WHERE login = :r OR id = :r2", {{"r", text}, {"r2", text}}))
    return *row;
  throw missing("person", login_or_id)
      .with("expected",
            first_few(c.query(fmt::format("SELECT login FROM people ORDER BY login LIMIT {}", kShown)),
                      "login"));
}

db::Row find_type(db::Connection& c, std::string_view table, std::string_view show_id,
                  std::string_view reference) {
  const std::string text(reference);
  const db::Bindings bindings = {{"s", std::string(show_id)}, {"r", text}, {"r2", text}};
  if (auto row = c.first(
          fmt::format("SELECT * FROM {} WHERE show_id = :s AND (code = :r OR id = :r2)", table), bindings)) {
    return *row;
  }
  const std::string_view what = table == "task_types"      ? "task type"
                                : table == "task_statuses" ? "status"
                                                           : "asset type";
  throw missing(what, reference)
      .with("expected",
            first_few(c.query(fmt::format("SELECT code FROM {} WHERE show_id = :s ORDER BY code", table),
                              {{"s", std::string(show_id)}}),
                      "code"));
}

std::string take_label(int64_t revision, int64_t number) {
  return fmt::format("v{:03}/t{:02}", revision, number);
}

std::string task_reference(std::string_view show_code, std::string_view entity_path,
                           std::string_view type_code) {
  return fmt::format("{}/{}:{}", show_code, entity_path, type_code);
}

std::string task_name(db::Connection& c, const db::Row& task) {
  const auto row = c.first(
      "SELECT s.code AS show_code, y.code AS type_code FROM shows s, task_types y WHERE s.id = :s AND y.id = "
      ":y",
      {{"s", task.text("show_id")}, {"y", task.text("task_type_id")}});
  return task_reference(row->text("show_code"), task.text("entity_path"), row->text("type_code"));
}

}  // namespace maquette::production
