#include "app/studio/archive.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "app/studio/doctor.h"
#include "app/studio/importing.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "db/test_database.h"
#include "media/image_io.h"
#include "production/entities.h"
#include "production/references.h"
#include "production/shows.h"
#include "production/tasks.h"

namespace maquette::app {
namespace {

// A studio in a folder and a database of its own, of either kind.
struct Place {
  explicit Place(db::Backend backend)
      : database(backend),
        folder(fs::path(testing::TempDir()) / ("maquette_archive_" + lower_hex(random_bytes(6)))),
        studio({.folder = folder, .database = database.url()}) {}
  ~Place() { fs::remove_all(folder); }

  db::TestDatabase database;
  fs::path folder;
  Studio studio;
};

void fill(Place& place) {
  const production::Caller caller = local_caller(place.studio);
  {
    db::Transaction tx(place.studio.database());
    const production::Change change{tx, {caller.person_id, "program"}};
    production::create_show(change, {.code = "lanterns", .name = "Lanterns"});
    const db::Row show = production::find_show(*tx, "lanterns");
    const std::string shot = production::create_entity(change, show, {.kind = "shot", .code = "sh010"});
    production::create_task(change, production::find_entity(*tx, shot), {.task_type = "background"});
    tx.commit();
  }
  const fs::path picture = place.folder / "a.png";
  media::write_image(picture, media::Image8::zeros(8, 8, 3));
  const ImportResult made = import_pictures(place.studio, caller, {.task = "lanterns/sh010:background"},
                                            files_to_import({picture.string()}));
  ASSERT_EQ(made.failed, 0u);
}

Json lineage_of_take(Studio& studio) {
  const db::Lease c = studio.database().connect();
  const db::Row take = production::find_take(*c, "lanterns/sh010:background/v001/t01");
  return {{"id", take.text("id")}, {"sha256", take.text("sha256")}, {"created_by", take.text("created_by")}};
}

// From every kind of database to every kind.
TEST(Archives, are_restored_on_either_database) {
  for (const db::Backend from : db::test_backends()) {
    for (const db::Backend to : db::test_backends()) {
      Place first(from), second(to);
      fill(first);
      back_up(first.studio, first.folder / "all");
      restore(second.studio, first.folder / "all");
      EXPECT_EQ(lineage_of_take(second.studio), lineage_of_take(first.studio));
      EXPECT_TRUE(examine(second.studio, "", false)["healthy"].get<bool>());
      EXPECT_THROW(restore(second.studio, first.folder / "all"), Error);
    }
  }
}

// A backup is of one moment while people work: what it names is there, and whole.
TEST(Archives, are_consistent_while_takes_are_filed) {
  for (const db::Backend backend : db::test_backends()) {
    Place first(backend), second(backend);
    fill(first);
    std::atomic<bool> over = false;
    std::atomic<int> filed = 0;
    std::thread work([&] {
      const production::Caller caller = local_caller(first.studio);
      for (int i = 0; !over && i < 2000; ++i) {
        media::Image8 pixels = media::Image8::zeros(8, 8, 3);
        for (int byte = 0; byte < 4; ++byte)
          pixels.data()[byte] = static_cast<uint8_t>((i + 1) >> (8 * byte));
        const fs::path picture = first.folder / "next.png";
        media::write_image(picture, pixels);
        const ImportResult made = import_pictures(first.studio, caller, {.task = "lanterns/sh010:background"},
                                                  files_to_import({picture.string()}));
        if (made.failed == 0) ++filed;
      }
    });
    while (filed < 5) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const int before = filed;
    for (const char* name : {"one", "two", "three"}) back_up(first.studio, first.folder / name);
    const int after = filed;
    over = true;
    work.join();
    EXPECT_GT(after, before) << "nothing was filed meanwhile";
    restore(second.studio, first.folder / "three");
    const Json report = examine(second.studio, "", false);
    EXPECT_TRUE(report["healthy"].get<bool>()) << report.dump();
    const db::Lease c = second.studio.database().connect();
    const int64_t takes = c->first("SELECT count(*) AS n FROM takes")->integer("n");
    EXPECT_GT(takes, before);
    EXPECT_EQ(c->first("SELECT take_count FROM tasks")->integer("take_count"), takes);
    EXPECT_EQ(c->first("SELECT count(*) AS n FROM events WHERE action = 'take:new'")->integer("n"), takes);
  }
}

TEST(Archives, of_a_show_write_into_no_other) {
  for (const db::Backend backend : db::test_backends()) {
    Place first(backend), second(backend);
    fill(first);
    const db::Row show = production::find_show(*first.studio.database().connect(), "lanterns");
    back_up_show(first.studio, show, first.folder / "one");
    // A mark on a take that is not in the archive, with everything else in order.
    const fs::path rows = first.folder / "one" / "rows.jsonl";
    std::ofstream(rows, std::ios::app) << R"({"t":"marks","r":{"take_id":")" << new_uuid() << "\"}}\n";
    Json said = parse_json(read_text_file(first.folder / "one" / "archive.json").take(), "").take();
    EXPECT_THROW(restore(second.studio, first.folder / "one"), Error);  // the hash of the rows
    said["rows_sha256"] = sha256_hex_of_file(rows);
    write_file_atomically(first.folder / "one" / "archive.json", said.dump());
    try {
      restore(second.studio, first.folder / "one");
      FAIL() << "was restored";
    } catch (const Error& error) {
      EXPECT_NE(error.message().find("a row of marks whose take_id is not in the archive"),
                std::string::npos);
    }
    EXPECT_FALSE(second.studio.database().connect()->first("SELECT id FROM shows"));
  }
}

}  // namespace
}  // namespace maquette::app
