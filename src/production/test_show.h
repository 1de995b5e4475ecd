// A person in a fresh database of either kind, who changes things: what the tests of this folder begin with.
// Test programs include this, the program does not.
#pragma once

#include <gtest/gtest.h>

#include "base/identifiers.h"
#include "db/test_database.h"
#include "production/change.h"

namespace maquette::production {

inline std::string backend_name(const testing::TestParamInfo<db::Backend>& info) {
  return info.param == db::Backend::sqlite ? "sqlite" : "postgresql";
}

class TestOnBoth : public testing::TestWithParam<db::Backend> {
 protected:
  TestOnBoth() {
    write([&](const Change& change) {
      change->insert("people",
                     {{"id", person_}, {"login", "mila"}, {"name", "Mila"}, {"created_at", utc_now()}});
    });
  }

  // In a transaction of its own, as an artist.
  template <typename Work>
  void write(const Work& work) {
    db::Transaction tx(database_);
    work(Change{tx, {person_, "artist"}});
    tx.commit();
  }

  const std::string person_ = new_uuid();
  db::TestDatabase test_{GetParam()};
  db::Database& database_ = test_.database();
};

}  // namespace maquette::production
