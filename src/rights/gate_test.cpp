// What must be refused and what must be asked for, as a table: a production in which everything is in order,
// one thing changed, and the reason that must come of it.
#include "rights/gate.h"

#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <iostream>

#include "base/error.h"

namespace maquette::rights {
namespace {

const std::string kHash(64, 'a');
const std::string kOther(64, 'b');
constexpr std::string_view kTask = "lanterns/sq010/sh020:background";

struct World {
  RecipeFacts facts{.task = std::string(kTask), .models = {{"base", kHash}}, .words = {"dusk", "sea"}};
  Register models;
  std::optional<ProductionProfile> profile = ProductionProfile{
      .commercial = true, .revenue_usd = 500'000, .territories = {"FR"}, .marks = {"eu-article-50"}};
  People people;
  std::vector<Statement> statements;
  std::string today = "2026-11-24";

  World() { add("base", "MIT"); }
  ModelRecord& add(const std::string& name, const std::string& licence) {
    models[name] = {.name = name,
                    .kind = "checkpoint",
                    .sha256 = kHash,
                    .source = "https://models.example",
                    .licence = {.id = licence, .snapshot_sha256 = kHash, .snapshot_date = "2026-11-01"},
                    .training = Training::disclosed,
                    .evidence = {"https://models.example/summary"},
                    .bases = std::vector<std::string>{}};
    return models[name];
  }
  void licence(const std::string& id) { models["base"].licence.id = id; }
  Decision decide() const {
    return gate({.facts = facts,
                 .models = models,
                 .profile = profile ? &*profile : nullptr,
                 .people = people,
                 .statements = statements,
                 .today = today});
  }
};

Consent consent() {
  return {.person = "Zoë Maler",
          .scope = "name_in_prompt",
          .uses = {"backgrounds of episode 3"},
          .from = "2026-01-01",
          .until = "2026-12-31",
          .counsel = "union",
          .document_sha256 = kHash,
          .key = "zoemaler"};
}

void name_zoe(World& w) {
  w.people.names = {{"Zoë Maler", "zoemaler", "performer"}};
  w.facts.words = {"a", "harbour", "zoe", "maler"};
}

Question question() {
  return {.id = "key-element", .text = "is it a central setting?", .approver = "client"};
}

Statement approval(std::string code, std::string subject) {
  return {.kind = "approval",
          .code = std::move(code),
          .subject = std::move(subject),
          .approver = "Ada",
          .role = "producer",
          .date = "2026-11-01",
          .until = "2026-12-31",
          .document_sha256 = kHash};
}

struct Case {
  const char* what;
  Verdict verdict;
  const char* code;  // of an open reason; empty: none is open
  std::function<void(World&)> change;
};

using enum Verdict;

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"everything in order", allow, "", [](World&) {}},
      // models
      {"not registered", refuse, "unregistered", [](World& w) { w.models.clear(); }},
      {"another file", refuse, "hash-differs", [](World& w) { w.facts.models[0].sha256 = kOther; }},
      {"a file that was never hashed", refuse, "hash-unknown",
       [](World& w) { w.models["base"].sha256 = ""; }},
      {"a file that cannot be hashed now", refuse, "hash-unknown",
       [](World& w) { w.facts.models[0].sha256 = ""; }},
      {"comes from itself", refuse, "cycle", [](World& w) { w.models["base"].bases = {{"base"}}; }},
      {"base not registered", needs_approval, "base-unregistered",
       [](World& w) { w.models["base"].bases = {{"gone"}}; }},
      {"bases unknown", needs_approval, "bases-unknown", [](World& w) { w.models["base"].bases.reset(); }},
      {"the file lies", needs_approval, "hash-lie",
       [](World& w) { w.models["base"].claimed_tensors = "0x1"; }},
      {"a second model not registered", refuse, "unregistered",
       [](World& w) {
         w.facts.models.push_back({"lora", kHash});
       }},
      // licences
      {"no licence", needs_approval, "licence-unknown", [](World& w) { w.licence(""); }},
      {"a licence nobody knows", needs_approval, "licence-unknown",
       [](World& w) { w.licence("LicenseRef-x"); }},
      {"a claim alone", needs_approval, "licence-unproved",
       [](World& w) { w.models["base"].licence.snapshot_sha256 = ""; }},
      {"non-commercial", refuse, "non-commercial", [](World& w) { w.licence("CC-BY-NC-4.0"); }},
      {"non-commercial weights", refuse, "non-commercial",
       [](World& w) { w.licence("LicenseRef-scancode-flux-1-nc"); }},
      {"non-commercial in a private production", allow, "",
       [](World& w) { w.licence("CC-BY-NC-4.0"), w.profile->commercial = false; }},
      {"non-commercial where nobody has said", refuse, "commercial-unknown",
       [](World& w) { w.licence("CC-BY-NC-4.0"), w.profile->commercial.reset(); }},
      {"a capped licence where nobody has said", refuse, "commercial-unknown",
       [](World& w) {
         w.licence("LicenseRef-scancode-stability-ai-community-2024"), w.profile->commercial.reset();
       }},
      {"below the cap", allow, "",
       [](World& w) { w.licence("LicenseRef-scancode-stability-ai-community-2024"); }},
      {"at the cap", refuse, "revenue-cap",
       [](World& w) {
         w.licence("LicenseRef-scancode-stability-ai-community-2024"), w.profile->revenue_usd = 1'000'000;
       }},
      {"revenue unknown", needs_approval, "revenue-unknown",
       [](World& w) {
         w.licence("LicenseRef-scancode-stability-ai-community-2024"), w.profile->revenue_usd.reset();
       }},
      {"excluded territory", refuse, "territory",
       [](World& w) { w.licence("LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla"); }},
      {"excluded part of the world", refuse, "territory",
       [](World& w) {
         w.licence("LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla"), w.profile->territories = {"WORLD"};
       }},
      {"territories unknown", needs_approval, "territory-unknown",
       [](World& w) {
         w.licence("LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla"), w.profile->territories = {};
       }},
      {"other territories", allow, "",
       [](World& w) {
         w.licence("LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla"), w.profile->territories = {"JP", "US"};
       }},
      {"an agreement of the studio's", needs_approval, "terms",
       [](World& w) { w.licence("LicenseRef-maquette-contract"); }},
      {"non-commercial base", refuse, "non-commercial",
       [](World& w) { w.models["base"].bases = {{"old"}}, w.add("old", "CC-BY-NC-4.0"); }},
      {"non-commercial base of a base", refuse, "non-commercial",
       [](World& w) {
         w.models["base"].bases = {{"old"}}, w.add("old", "MIT").bases = {{"older"}};
         w.add("older", "LicenseRef-scancode-stability-ai-nc-2023-12-06");
       }},
      {"non-commercial data set", refuse, "non-commercial",
       [](World& w) {
         w.models["base"].datasets = {"photos"}, w.add("photos", "CC-BY-NC-4.0").kind = "dataset";
       }},
      // training data
      {"training partly disclosed", needs_approval, "training",
       [](World& w) { w.models["base"].training = Training::partly; }},
      {"training undisclosed", needs_approval, "training",
       [](World& w) { w.models["base"].training = Training::undisclosed; }},
      {"training contested", needs_approval, "training",
       [](World& w) { w.models["base"].training = Training::contested; }},
      {"training unknown", needs_approval, "training",
       [](World& w) { w.models["base"].training = Training::unknown; }},
      {"contested base", needs_approval, "training",
       [](World& w) {
         w.models["base"].bases = {{"old"}}, w.add("old", "MIT").training = Training::contested;
       }},
      {"training that the profile accepts", allow, "",
       [](World& w) {
         w.models["base"].training = Training::partly;
         w.profile->accepted_training = {Training::disclosed, Training::partly};
       }},
      // people
      {"a name without consent", needs_approval, "name", name_zoe},
      {"a name with numbers between", needs_approval, "name",
       [](World& w) {
         name_zoe(w), w.facts.words = {"zoe", "1", "2", "maler"};
       }},
      {"a name run together", needs_approval, "name",
       [](World& w) {
         name_zoe(w), w.facts.words = {"by", "zoemaler"};
       }},
      {"a name inside another word", allow, "",
       [](World& w) {
         name_zoe(w), w.facts.words = {"zoe", "malerei"};
       }},
      {"a name with consent", allow, "", [](World& w) { name_zoe(w), w.people.consents = {consent()}; }},
      {"consent of somebody else", needs_approval, "name",
       [](World& w) { name_zoe(w), w.people.consents = {consent()}, w.people.consents[0].key = "zoe"; }},
      {"consent for something else", needs_approval, "name",
       [](World& w) { name_zoe(w), w.people.consents = {consent()}, w.people.consents[0].scope = "voice"; }},
      {"consent expired", refuse, "consent-expired",
       [](World& w) {
         name_zoe(w), w.people.consents = {consent()}, w.people.consents[0].until = "2026-11-23";
       }},
      {"consent not begun", refuse, "consent-early",
       [](World& w) {
         name_zoe(w), w.people.consents = {consent()}, w.people.consents[0].from = "2026-11-25";
       }},
      {"consent revoked", refuse, "consent-revoked",
       [](World& w) {
         name_zoe(w), w.people.consents = {consent()}, w.people.consents[0].revoked = "2026-11-24";
       }},
      {"consent renewed", allow, "",
       [](World& w) {
         name_zoe(w), w.people.consents = {consent(), consent()};
         w.people.consents[0].until = "2026-02-01";
       }},
      {"a name with a waiver", allow, "",
       [](World& w) {
         name_zoe(w), w.statements = {approval("name", "name:Zoë Maler")}, w.statements[0].kind = "waiver";
       }},
      {"a revoked consent and a waiver", refuse, "consent-revoked",
       [](World& w) {
         name_zoe(w), w.people.consents = {consent()}, w.people.consents[0].revoked = "2026-11-01";
         w.statements = {approval("consent-revoked", "name:Zoë Maler"), approval("name", "name:Zoë Maler")};
       }},
      {"a style of somebody's", needs_approval, "style-of",
       [](World& w) {
         w.profile->style_words_need_approval = true, w.facts.words = {"in", "the", "style", "of", "x"};
       }},
      {"nobody was told", needs_approval, "notice", [](World& w) { w.profile->notice_required = true; }},
      {"they will be told tomorrow", needs_approval, "notice",
       [](World& w) {
         w.profile->notice_required = true, w.people.notices = {{.kind = "notice", .date = "2026-11-25"}};
       }},
      {"they were told", allow, "",
       [](World& w) {
         w.profile->notice_required = true, w.people.notices = {{.kind = "notice", .date = "2026-11-24"}};
       }},
      {"only a consultation", needs_approval, "notice",
       [](World& w) {
         w.profile->notice_required = true,
         w.people.notices = {{.kind = "consultation", .date = "2026-11-24"}};
       }},
      // questions
      {"a question without answer", needs_approval, "key-element",
       [](World& w) { w.profile->questions = {question()}; }},
      {"a question about inputs without inputs", allow, "",
       [](World& w) {
         w.profile->questions = {question()}, w.profile->questions[0].only_with_inputs = true;
       }},
      {"a question about inputs", needs_approval, "key-element",
       [](World& w) {
         w.profile->questions = {question()}, w.profile->questions[0].only_with_inputs = true;
         w.facts.has_inputs = true;
       }},
      {"answered for the sequence", allow, "",
       [](World& w) {
         w.profile->questions = {question()};
         w.statements = {{.kind = "answer",
                          .code = "key-element",
                          .subject = "lanterns/sq010",
                          .approver = "Ada",
                          .date = "2026-11-01"}};
       }},
      {"answered for a sequence of the same beginning", needs_approval, "key-element",
       [](World& w) {
         w.profile->questions = {question()};
         w.statements = {{.kind = "answer",
                          .code = "key-element",
                          .subject = "lanterns/sq01",
                          .approver = "Ada",
                          .date = "2026-11-01"}};
       }},
      {"approved by somebody else than the client", needs_approval, "key-element",
       [](World& w) {
         w.profile->questions = {question()}, w.statements = {approval("key-element", std::string(kTask))};
       }},
      {"approved by the client", allow, "",
       [](World& w) {
         w.profile->questions = {question()}, w.statements = {approval("key-element", std::string(kTask))};
         w.statements[0].role = "client";
       }},
      // approvals, of a model whose training data are undisclosed
      {"approved", allow, "",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
       }},
      {"approved by no name", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].approver = "";
       }},
      {"approved without a document", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].document_sha256 = "";
       }},
      {"approved without an end", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].until = "";
       }},
      {"approved until yesterday", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].until = "2026-11-23";
       }},
      {"approved from tomorrow", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].date = "2026-11-25";
       }},
      {"another model approved", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:other")};
       }},
      {"something else approved", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed, w.statements = {approval("terms", "model:base")};
       }},
      {"approved for another role", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.profile->approvers["training"] = "legal";
       }},
      {"answered instead of approved", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].kind = "answer";
       }},
      {"waived instead of approved", needs_approval, "training",
       [](World& w) {
         w.models["base"].training = Training::undisclosed,
         w.statements = {approval("training", "model:base")};
         w.statements[0].kind = "waiver";
       }},
      {"a refusal cannot be approved", refuse, "non-commercial",
       [](World& w) {
         w.licence("CC-BY-NC-4.0"), w.statements = {approval("non-commercial", "model:base")};
       }},
  };
  return kCases;
}

TEST(Gate, DecidesAsTheTableSays) {
  for (const Case& each : cases()) {
    SCOPED_TRACE(each.what);
    World world;
    each.change(world);
    const Decision decision = world.decide();
    EXPECT_TRUE(decision.checked);
    EXPECT_EQ(name(decision.verdict), name(each.verdict)) << decision.text();
    std::vector<std::string> open;
    for (const Reason& reason : decision.reasons) {
      if (reason.open()) open.push_back(reason.code);
    }
    const std::vector<std::string> wanted(*each.code == 0 ? 0 : 1, each.code);
    EXPECT_EQ(open, wanted) << decision.text();
  }
}

TEST(Gate, NothingIsCheckedWithoutAProfileAndItSaysSo) {
  World world;
  world.profile.reset();
  world.models.clear();
  const Decision decision = world.decide();
  EXPECT_EQ(decision.verdict, Verdict::allow);
  EXPECT_FALSE(decision.checked);
  ASSERT_EQ(decision.reasons.size(), 1u);
  EXPECT_EQ(decision.reasons[0].text, "no profile set, nothing was checked");
}

TEST(Gate, TellsConditionsAndMarksOfWhatItAllows) {
  World world;
  world.licence("LicenseRef-scancode-stable-diffusion-2022-08-22");
  const Json decision = to_json(world.decide());
  EXPECT_EQ(decision["verdict"], "allow");
  EXPECT_EQ(decision["marks"], Json({"eu-article-50"}));
  EXPECT_EQ(decision["reasons"][0]["code"], "use-restrictions");
  EXPECT_EQ(decision["reasons"][0]["open"], false);
}

TEST(Gate, ThePolicyOfNetflixAsksItsQuestionsOfTheClient) {
  World world;
  Json profile = to_json(*world.profile);
  profile.update(built_in_policy("netflix"));
  world.profile = profile_from_json(profile);
  const Decision asked = world.decide();
  EXPECT_EQ(asked.verdict, Verdict::needs_approval);
  int open = 0;
  for (const Reason& reason : asked.reasons) {
    if (!reason.open()) continue;
    ++open;
    EXPECT_EQ(reason.approver, "client") << reason.code;
  }
  EXPECT_EQ(open, 7) << asked.text();  // six questions without inputs, and the notice
  world.people.notices = {{.kind = "notice", .date = "2026-11-01"}};
  for (const Question& each : world.profile->questions) {
    world.statements.push_back(
        {.kind = "answer", .code = each.id, .subject = "lanterns", .approver = "Ada", .date = "2026-11-01"});
  }
  EXPECT_EQ(world.decide().verdict, Verdict::allow);
}

TEST(Statements, ThatWouldNotCountAreRefused) {
  const Json good = to_json(approval("training", "model:base"));
  EXPECT_EQ(to_json(statement_from_json(good)), good);
  for (const char* field : {"code", "subject", "approver", "role", "date", "until", "document_sha256"}) {
    Json bad = good;
    bad[field] = "";
    EXPECT_THROW(statement_from_json(bad), Error) << field;
  }
  Json bad = good;
  bad["kind"] = "nod";
  EXPECT_THROW(statement_from_json(bad), Error);
}

TEST(Consents, ThatWouldNotStandAreRefused) {
  const Json good = to_json(consent());
  EXPECT_EQ(to_json(consent_from_json(good)), good);
  for (const auto& [field, value] :
       std::initializer_list<std::pair<const char*, Json>>{{"person", ""},
                                                           {"scope", "everything"},
                                                           {"uses", Json::array()},
                                                           {"uses", {""}},
                                                           {"counsel", ""},
                                                           {"from", ""},
                                                           {"until", ""},
                                                           {"until", "2025-12-31"},
                                                           {"document_sha256", ""},
                                                           {"revoked", "soon"}}) {
    Json bad = good;
    bad[field] = value;
    EXPECT_THROW(consent_from_json(bad), Error) << field << value;
  }
}

TEST(Profiles, ThatContradictThemselvesAreRefused) {
  for (const Json& bad :
       {Json{{"marks", {"none", "eu-article-50"}}}, Json{{"marks", {"star"}}},
        Json{{"territories", {"France"}}}, Json{{"revenue_usd", -1}}, Json{{"commercial", "yes"}},
        Json{{"questions", {{{"id", "x"}}}}}, Json{{"approvers", {{"training", ""}}}},
        Json{{"accepted_training", {"fine"}}}, Json{{"mood", "good"}}}) {
    EXPECT_THROW(profile_from_json(bad), Error) << bad.dump();
  }
  EXPECT_EQ(missing_marks({.territories = {"FR", "CN"}, .marks = {"eu-article-50"}}),
            std::vector<std::string>{"china-gb-45438"});
  EXPECT_EQ(missing_marks({.territories = {"WORLD"}}).size(), 3u);
}

// The wanted limit of the whole gate is 5 ms; deciding alone must be far below it.
TEST(Gate, DecidesQuickly) {
  World world;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "m" + std::to_string(i);
    world.add(name, "MIT").bases =
        i == 0 ? std::vector<std::string>{} : std::vector{"m" + std::to_string(i - 1)};
    world.facts.models.push_back({name, kHash});
  }
  for (int i = 0; i < 200; ++i) world.facts.words.push_back("word" + std::to_string(i));
  for (int i = 0; i < 1000; ++i) world.people.names.push_back({"n", "name" + std::to_string(i), "artist"});
  const auto begin = std::chrono::steady_clock::now();
  const Decision decision = world.decide();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(decision.verdict, Verdict::allow);
  RecordProperty("milliseconds", std::to_string(took.count()));
  std::cout << "101 models, 200 words, 1000 names: " << took.count() << " ms\n";
}

}  // namespace
}  // namespace maquette::rights
