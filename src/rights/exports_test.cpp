// What the exports hold. tools/check_exports has them judged by the forms' own validators: for that,
// Exports.samples writes them into the folder that MAQUETTE_EXPORTS names.
#include "rights/exports/exports.h"

#include <cstdlib>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace maquette::rights {
namespace {

const std::string kHash(64, 'a');
const ExportSubject kSubject{.title = "lanterns",
                             .created = "2026-11-24T12:00:00Z",
                             .id = "01935f6e-7c00-7000-8000-000000000001",
                             .generator = "maquette 0.1.0"};

// As much known as can be, and as little.
Register sample_register() {
  Register models;
  const auto add = [&models](const ModelRecord& record) { models[record.name] = record; };
  add({.name = "base",
       .kind = "checkpoint",
       .sha256 = kHash,
       .tensors = std::string(64, 'b'),
       .source = "https://models.example/base?revision=1&x=2",
       .licence = {.id = "LicenseRef-scancode-stable-diffusion-2022-08-22",
                   .claimed_by = "the model card",
                   .where = "https://models.example/licence",
                   .snapshot_sha256 = kHash,
                   .snapshot_date = "2026-11-01"},
       .training = Training::partly,
       .evidence = {"https://models.example/summary"},
       .bases = std::vector<std::string>(),
       .datasets = {"plates", "somewhere else"}});
  add({.name = "loras/harbour <1> | 50 %",
       .kind = "lora",
       .sha256 = std::string(64, 'c'),
       .licence = {.id = "my own terms, v2"},
       .training = Training::contested,
       .bases = std::vector<std::string>{"base", "nobody's"},
       .notes = "Grey harbours & \"quays\".\nTwo lines."});
  add({.name = "starter",
       .kind = "checkpoint",
       .sha256 = kHash,
       .licence = {.id = "Apache-2.0"},
       .training = Training::disclosed,
       .bases = std::vector<std::string>()});
  add({.name = "found on a disk", .kind = "checkpoint", .source = "https://models.example/a \"quoted\" one"});
  add({.name = "plates",
       .kind = "dataset",
       .sha256 = kHash,
       .source = "https://data.example/plates.tar",
       .licence = {.id = "CC-BY-4.0"},
       .training = Training::disclosed,
       .evidence = {"https://data.example/about"},
       .bases = std::vector<std::string>(),
       .notes = "Painted plates of our own shows."});
  return models;
}

std::vector<const ModelRecord*> all_of(const Register& models) {
  std::vector<const ModelRecord*> records;
  for (const auto& [name, record] : models) records.push_back(&record);
  return records;
}

const Json& named(const Json& components, std::string_view name) {
  for (const Json& component : components) {
    if (component.value("name", "") == name) return component;
  }
  throw std::out_of_range(std::string(name));
}

TEST(Exports, cyclonedx_says_what_is_known_and_what_is_not) {
  const Register models = sample_register();
  const Json bom = cyclonedx(kSubject, all_of(models));
  const Json& base = named(bom["components"], "base");
  EXPECT_EQ(base["hashes"][0]["content"], kHash);
  // Not an id of SPDX's list, so it must not stand where one is expected.
  EXPECT_FALSE(base["licenses"][0]["license"].contains("id"));
  EXPECT_EQ(named(bom["components"], "starter")["licenses"][0]["license"]["id"], "Apache-2.0");
  EXPECT_FALSE(base["modelCard"]["considerations"]["ethicalConsiderations"].empty());

  const Json& unknown = named(bom["components"], "found on a disk");
  EXPECT_FALSE(unknown.contains("licenses"));
  EXPECT_FALSE(unknown.contains("hashes"));
  EXPECT_NE(unknown["properties"].dump().find(R"({"name":"maquette:licence","value":"unknown"})"),
            std::string::npos);
  EXPECT_EQ(named(bom["components"], "somewhere else")["properties"][0]["value"], "not registered");
}

TEST(Exports, spdx_elements_are_all_in_the_document_and_every_relation_leads_somewhere) {
  const Register models = sample_register();
  const Json document = spdx(kSubject, all_of(models));
  std::set<std::string> ids;
  for (const Json& node : document["@graph"]) {
    if (node.contains("spdxId")) {
      EXPECT_TRUE(ids.insert(node["spdxId"]).second) << node["spdxId"];
    }
  }
  size_t relations = 0;
  for (const Json& node : document["@graph"]) {
    if (node["type"] != "Relationship") continue;
    ++relations;
    EXPECT_TRUE(ids.contains(node["from"])) << node.dump();
    EXPECT_TRUE(ids.contains(node["to"][0])) << node.dump();
  }
  EXPECT_EQ(relations, 8u);  // four licences, two bases, two data sets
}

TEST(Exports, croissant_needs_a_data_set_that_can_be_fetched_and_checked) {
  Register models = sample_register();
  const Json document = croissant(models["plates"], "2026-11-24");
  EXPECT_EQ(document["distribution"][0]["sha256"], kHash);
  EXPECT_EQ(document["license"], "CC-BY-4.0");
  EXPECT_THROW(croissant(models["base"], "2026-11-24"), Error);
  ModelRecord unhashed = models["plates"];
  unhashed.sha256.clear();
  EXPECT_THROW(croissant(unhashed, "2026-11-24"), Error);
}

TEST(Exports, addresses_are_told_from_other_sources) {
  EXPECT_TRUE(is_web_address("https://models.example/a?b=%20#c"));
  for (const std::string_view text : {"", "https://", "ftp://models.example", "a disk of the studio",
                                      "https://models.example/\"quoted\"", "https://models.example/a b"})
    EXPECT_FALSE(is_web_address(text)) << text;
}

TEST(Exports, cards_escape_what_people_wrote_and_shout_the_unknown) {
  const Register models = sample_register();
  const std::string page = model_card(models.at("loras/harbour <1> | 50 %"), models, CardForm::html);
  EXPECT_NE(page.find("loras/harbour &lt;1&gt; | 50 %"), std::string::npos);
  EXPECT_EQ(page.find("harbour <1>"), std::string::npos);
  EXPECT_NE(page.find("<strong>unknown</strong>"), std::string::npos);
  const std::string text = model_card(models.at("loras/harbour <1> | 50 %"), models, CardForm::markdown);
  EXPECT_NE(text.find("# loras/harbour \\<1\\> \\| 50 %"), std::string::npos);
  EXPECT_NE(text.find("nobody's"), std::string::npos);  // not in the register
  // What the base restricts is restricted here too.
  EXPECT_NE(text.find("use restrictions"), std::string::npos);
}

TEST(Exports, samples) {
  const char* folder = std::getenv("MAQUETTE_EXPORTS");
  if (folder == nullptr) GTEST_SKIP() << "written for tools/check_exports";
  const Register models = sample_register();
  const fs::path to = folder;
  write_file_atomically(to / "full.cdx.json", cyclonedx(kSubject, all_of(models)).dump());
  write_file_atomically(to / "empty.cdx.json", cyclonedx(kSubject, {}).dump());
  write_file_atomically(to / "full.spdx.json", spdx(kSubject, all_of(models)).dump());
  write_file_atomically(to / "empty.spdx.json", spdx(kSubject, {}).dump());
  write_file_atomically(to / "plates.croissant.json", croissant(models.at("plates"), "2026-11-24").dump());
}

}  // namespace
}  // namespace maquette::rights
