#include "rights/models.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace maquette::rights {
namespace {

const std::string kHash(64, 'a');

ModelRecord record(std::string name, std::string licence, std::optional<std::vector<std::string>> bases) {
  return {.name = std::move(name),
          .kind = "checkpoint",
          .sha256 = kHash,
          .source = "https://models.example",
          .licence = {.id = std::move(licence),
                      .claimed_by = "card",
                      .where = "https://models.example",
                      .snapshot_sha256 = kHash,
                      .snapshot_date = "2026-11-01"},
          .training = Training::disclosed,
          .evidence = {"https://models.example/summary"},
          .bases = std::move(bases)};
}

Register of(std::initializer_list<ModelRecord> records) {
  Register models;
  for (const ModelRecord& each : records) models[each.name] = each;
  return models;
}

TEST(ModelRecord, ComesBackFromItsDocument) {
  ModelRecord before = record("sd15", "CreativeML Open RAIL-M", std::vector<std::string>{});
  const ModelRecord after = model_record_from_json(to_json(before));
  EXPECT_EQ(after.licence.id, "LicenseRef-scancode-stable-diffusion-2022-08-22") << "the name became its id";
  before.licence.id = after.licence.id;
  EXPECT_EQ(to_json(after), to_json(before));
}

TEST(ModelRecord, SaysLoudlyWhatIsUnknown) {
  const ModelRecord blank = model_record_from_json({{"name", "found on a disk"}});
  EXPECT_EQ(blank.training, Training::unknown);
  EXPECT_FALSE(blank.bases) << "made from nothing is something else";
  const Terms terms = terms_of(lineage_of(blank, {}));
  EXPECT_EQ(terms.commercial, Answer::unknown);
  EXPECT_EQ(terms.licences, std::vector<std::string>{"unknown"});
  EXPECT_GE(opacity_of(lineage_of(blank, {})).score, 90);
}

TEST(ModelRecord, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(model_record_from_json({{"name", "a"}, {"license", "MIT"}}), Error);
  EXPECT_THROW(model_record_from_json({{"name", "a"}, {"sha256", "0xAB"}}), Error);
  EXPECT_THROW(model_record_from_json({{"name", "a"}, {"training", "fine"}}), Error);
  EXPECT_THROW(model_record_from_json({{"name", "a"}, {"bases", "sd15"}}), Error);
  EXPECT_THROW(model_record_from_json(Json::object()), Error);
  EXPECT_THROW(model_record_from_json(Json::array()), Error);
}

TEST(Lineage, TheStrictestWins) {
  const Register models =
      of({record("merge", "Apache-2.0", std::vector<std::string>{"a", "b"}),
          record("a", "LicenseRef-scancode-stability-ai-community-2024", std::vector<std::string>{}),
          record("b", "MIT", std::vector<std::string>{"c"}),
          record("c", "LicenseRef-scancode-flux-1-nc", std::vector<std::string>{})});
  const Terms terms = terms_of(lineage_of(models.at("merge"), models));
  EXPECT_EQ(terms.commercial, Answer::no);
  EXPECT_EQ(terms.revenue_cap_usd, 1'000'000);
  EXPECT_TRUE(terms.attribution);
  EXPECT_EQ(terms.licences.size(), 4u);
  EXPECT_EQ(terms_of(lineage_of(models.at("a"), models)).commercial, Answer::yes);
}

TEST(Lineage, TrainingDataAreInherited) {
  Register models = of({record("lora", "MIT", std::vector<std::string>{"base"}),
                        record("base", "MIT", std::vector<std::string>{})});
  EXPECT_EQ(terms_of(lineage_of(models.at("lora"), models)).training, Training::disclosed);
  for (const Training training :
       {Training::partly, Training::undisclosed, Training::unknown, Training::contested}) {
    models.at("base").training = training;
    EXPECT_EQ(terms_of(lineage_of(models.at("lora"), models)).training, training);
  }
}

TEST(Lineage, AMissingBaseIsUnknown) {
  const Register models = of({record("lora", "MIT", std::vector<std::string>{"gone"})});
  const Lineage lineage = lineage_of(models.at("lora"), models);
  EXPECT_EQ(lineage.missing, std::vector<std::string>{"gone"});
  EXPECT_EQ(terms_of(lineage).commercial, Answer::unknown);
  EXPECT_EQ(terms_of(lineage).training, Training::unknown);
  EXPECT_EQ(opacity_of(lineage).score, 100);
}

TEST(Lineage, ACycleIsAnError) {
  const Register models = of({record("a", "MIT", std::vector<std::string>{"b"}),
                              record("b", "MIT", std::vector<std::string>{"a"}),
                              record("self", "MIT", std::vector<std::string>{"self"})});
  EXPECT_THROW(lineage_of(models.at("a"), models), Error);
  EXPECT_THROW(lineage_of(models.at("self"), models), Error);
}

TEST(Lineage, ASharedBaseIsNoCycle) {
  const Register models = of({record("merge", "MIT", std::vector<std::string>{"a", "b"}),
                              record("a", "MIT", std::vector<std::string>{"base"}),
                              record("b", "MIT", std::vector<std::string>{"base"}),
                              record("base", "MIT", std::vector<std::string>{})});
  EXPECT_EQ(lineage_of(models.at("merge"), models).records.size(), 4u);
}

TEST(Opacity, IsZeroWhereEverythingIsShownAndGrowsWithEachGap) {
  const ModelRecord clear = record("clear", "MIT", std::vector<std::string>{});
  EXPECT_EQ(opacity_of(lineage_of(clear, {})).score, 0);
  const auto with = [&](auto change) {
    ModelRecord changed = clear;
    change(changed);
    const Opacity opacity = opacity_of(lineage_of(changed, {}));
    EXPECT_EQ(opacity.reasons.size(), 1u);
    return opacity.score;
  };
  EXPECT_GT(with([](ModelRecord& r) { r.licence.id.clear(); }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.licence.snapshot_sha256.clear(); }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.training = Training::contested; }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.evidence.clear(); }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.bases.reset(); }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.source.clear(); }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.sha256.clear(); }), 0);
  EXPECT_GT(with([](ModelRecord& r) { r.claimed_tensors = "0xlie"; }), 0);
}

}  // namespace
}  // namespace maquette::rights
