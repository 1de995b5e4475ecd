// Change: what every function that writes needs: the transaction, who acts in which role, and the way to say
// so in the event log.
#pragma once

#include <span>

#include "provenance/event_log.h"

namespace maquette::production {

struct Change {
  db::Transaction& tx;
  provenance::Actor actor;

  db::Connection& operator*() const { return *tx; }
  db::Connection* operator->() const { return &*tx; }
  void log(const provenance::Event& event) const { provenance::append_event(tx, actor, event); }
};

// A page of a list: `next` goes into `after` of the following question; empty at the end.
struct PageQuery {
  std::string after = {};
  int limit = 50;
};

struct Page {
  std::vector<Json> items;
  std::string next = {};

  Json document() const { return {{"items", items}, {"next", next.empty() ? Json() : Json(next)}}; }
};

// Asks for one line more than wanted: where it comes, there is a next page, named by the last wanted line.
template <typename Make>
Page page_of(const std::vector<db::Row>& rows, const PageQuery& query, std::string_view key,
             const Make& make) {
  Page page;
  for (const db::Row& row : rows) {
    if (page.items.size() == static_cast<size_t>(query.limit)) break;
    page.items.push_back(make(row));
  }
  if (rows.size() > page.items.size() && !page.items.empty()) {
    const db::Row& last = rows[page.items.size() - 1];
    page.next = key == "seq" ? fmt::format("{}", last.integer(key)) : last.text(key);
  }
  return page;
}

// Conditions of a question and their values.
class Conditions {
 public:
  void add(std::string_view condition) {
    text_ += fmt::format("{}{}", text_.empty() ? "" : " AND ", condition);
  }
  void add(std::string_view condition, std::string_view name, db::Value value) {
    add(condition);
    bind(name, std::move(value));
  }
  // A further value of a condition that has several.
  void bind(std::string_view name, db::Value value) { bindings_.push_back({name, std::move(value)}); }
  std::string where() const { return text_.empty() ? "" : " WHERE " + text_; }
  db::Bindings bindings(const PageQuery& query) const {
    db::Bindings all = bindings_;
    all.push_back({"limit", int64_t{query.limit} + 1});
    return all;
  }
  const db::Bindings& bindings() const { return bindings_; }

 private:
  std::string text_;
  db::Bindings bindings_;
};

// Values of an IN (...) list.
class IdList {
 public:
  explicit IdList(const std::vector<std::string>& ids);
  IdList(const IdList&) = delete;
  IdList& operator=(const IdList&) = delete;
  const std::string& text() const { return text_; }  // ":id0, :id1"; ids must not be empty
  const db::Bindings& bindings() const { return bindings_; }

 private:
  std::vector<std::string> names_;  // that the bindings refer to
  std::string text_;
  db::Bindings bindings_;
};

// Throws Error(conflict) unless the caller saw this version (or did not say which it saw).
void require_version(const db::Row& row, const std::optional<int64_t>& seen);
void require_version(int64_t now, const std::optional<int64_t>& seen);
// For documents without a row that counts: another number for other content.
int64_t version_of(const Json& document);
// Codes become parts of file names: letters, digits, "-", "_" and ".", at most 64, not beginning with a dot.
// Throws Error(usage).
void require_code(std::string_view code, std::string_view what);
// One line of text for people: valid, not empty, at most 200 characters, no control characters.
void require_name(std::string_view name, std::string_view what);

// A condition on this text column that no index is chosen for: where another condition leaves a few lines
// only.
inline std::string without_index(std::string_view column) { return fmt::format("({} || '')", column); }

// For LIKE ... ESCAPE '!': anything that contains this text, in which nothing is a wildcard.
std::string contains_pattern(std::string_view text);

Json json_of(const db::Row& row, std::string_view column);
Json text_or_null(const db::Row& row, std::string_view column);

}  // namespace maquette::production
