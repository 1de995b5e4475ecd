#include "rights/profile.h"

#include <algorithm>

#include "rights/documents.h"

namespace maquette::rights {

namespace {

constexpr std::string_view kFields[] = {"commercial",
                                        "revenue_usd",
                                        "territories",
                                        "policy",
                                        "accepted_training",
                                        "notice_required",
                                        "style_words_need_approval",
                                        "questions",
                                        "approvers",
                                        "marks"};
constexpr std::string_view kQuestionFields[] = {"id", "text", "approver", "only_with_inputs"};

Question question_from_json(const Json& json) {
  const Fields fields(json, "a question", kQuestionFields);
  Question question{.id = fields.text("id"),
                    .text = fields.text("text"),
                    .approver = fields.text("approver"),
                    .only_with_inputs = fields.flag("only_with_inputs").value_or(false)};
  if (question.id.empty() || question.text.empty() || question.approver.empty())
    throw Error(ErrorCode::usage, "a question needs \"id\", \"text\" and \"approver\"");
  return question;
}

Json to_json(const Question& question) {
  return {{"id", question.id},
          {"text", question.text},
          {"approver", question.approver},
          {"only_with_inputs", question.only_with_inputs}};
}

void require_marks(const std::vector<std::string>& marks) {
  for (const std::string& mark : marks) {
    if (std::ranges::find(kMarks, mark) != std::end(kMarks)) continue;
    throw Error(ErrorCode::usage, "there is no mark \"{}\"", mark.substr(0, 80))
        .with("expected", fmt::format("{}", fmt::join(kMarks, ", ")));
  }
  if (marks.size() > 1 && std::ranges::find(marks, "none") != marks.end())
    throw Error(ErrorCode::usage, "\"none\" stands among other marks");
}

// Netflix publishes guidance for partners on generative tools in content production: five principles, and
// cases that always need its written approval. Principles that the program keeps by itself (nothing leaves
// the machine, nothing is trained on) ask no question. Worded anew; read the client's own text.
Json netflix_policy() {
  const auto ask = [](std::string_view id, std::string_view text, bool only_with_inputs = false) {
    return Json{{"id", id}, {"text", text}, {"approver", "client"}, {"only_with_inputs", only_with_inputs}};
  };
  return {
      {"policy", "netflix"},
      {"accepted_training", {"disclosed"}},
      {"notice_required", true},
      {"style_words_need_approval", true},
      {"questions",
       {ask("owned-inputs",
            "does a picture that goes in hold the client's material, personal data, or anything the studio "
            "does "
            "not own?",
            true),
        ask("replicates-work",
            "does it come close to an identifiable work or person that the studio does not own?"),
        ask("final", "will it stay in the finished work, other than as a step on the way?"),
        ask("key-element", "is it a main character, a key visual element or a central setting?"),
        ask("public-figure", "does it refer to a public figure or to copyrighted material?"),
        ask("replica", "does it replace or alter a performer, or work covered by a union, without consent?"),
        ask("misleading", "could it be taken for a record of something that really happened?")}},
      {"approvers", {{"", "client"}}}};
}

}  // namespace

std::string ProductionProfile::approver_for(std::string_view code) const {
  auto found = approvers.find(std::string(code));
  if (found == approvers.end()) found = approvers.find("");
  return found == approvers.end() ? "producer" : found->second;
}

Json to_json(const ProductionProfile& profile) {
  Json accepted = Json::array(), questions = Json::array(), approvers = Json::object();
  for (const Training training : profile.accepted_training) accepted.push_back(name(training));
  for (const Question& question : profile.questions) questions.push_back(to_json(question));
  for (const auto& [code, who] : profile.approvers) approvers[code] = who;
  return {{"commercial", profile.commercial ? Json(*profile.commercial) : Json()},
          {"revenue_usd", profile.revenue_usd ? Json(*profile.revenue_usd) : Json()},
          {"territories", profile.territories},
          {"policy", profile.policy},
          {"accepted_training", accepted},
          {"notice_required", profile.notice_required},
          {"style_words_need_approval", profile.style_words_need_approval},
          {"questions", questions},
          {"approvers", approvers},
          {"marks", profile.marks}};
}

ProductionProfile profile_from_json(const Json& json) {
  const Fields fields(json, "a profile", kFields);
  ProductionProfile profile{
      .commercial = fields.flag("commercial"),
      .revenue_usd = fields.integer("revenue_usd"),
      .territories = fields.texts("territories").value_or(std::vector<std::string>()),
      .policy = fields.text("policy"),
      .notice_required = fields.flag("notice_required").value_or(false),
      .style_words_need_approval = fields.flag("style_words_need_approval").value_or(false),
      .marks = fields.texts("marks").value_or(std::vector<std::string>())};
  std::ranges::for_each(profile.territories, require_territory);
  require_marks(profile.marks);
  if (profile.revenue_usd && *profile.revenue_usd < 0)
    throw Error(ErrorCode::usage, "the revenue is below nothing").with("found", *profile.revenue_usd);
  if (const auto accepted = fields.texts("accepted_training")) {
    profile.accepted_training.clear();
    for (const std::string& text : *accepted) profile.accepted_training.push_back(training_named(text));
  }
  const Json& questions = fields.value("questions");
  if (!questions.is_null() && !questions.is_array())
    throw Error(ErrorCode::usage, "\"questions\" of a profile is no list");
  for (const Json& question : questions) profile.questions.push_back(question_from_json(question));
  const Json& approvers = fields.value("approvers");
  if (!approvers.is_null() && !approvers.is_object())
    throw Error(ErrorCode::usage, "\"approvers\" of a profile is no object");
  for (const auto& [code, who] : approvers.items()) {
    if (!who.is_string() || who.get<std::string>().empty())
      throw Error(ErrorCode::usage, "an approver of a profile has no name").with("where", code.substr(0, 80));
    profile.approvers[code] = who.get<std::string>();
  }
  return profile;
}

std::vector<std::string> built_in_policies() { return {"netflix"}; }

Json built_in_policy(std::string_view name) {
  if (name == "netflix") return netflix_policy();
  throw Error(ErrorCode::not_found, "there is no policy \"{}\"", name.substr(0, 80))
      .with("expected", fmt::format("{}", fmt::join(built_in_policies(), ", ")))
      .hint("other policies are given as a document");
}

std::vector<std::string> missing_marks(const ProductionProfile& profile) {
  constexpr std::pair<std::string_view, std::string_view> kAsked[] = {// territory, mark
                                                                      {"EU", "eu-article-50"},
                                                                      {"US", "california-sb-942"},
                                                                      {"CN", "china-gb-45438"}};
  std::vector<std::string> missing;
  for (const auto& asked : kAsked) {
    const bool there = std::ranges::any_of(
        profile.territories, [&](const std::string& place) { return territories_meet(place, asked.first); });
    if (there && std::ranges::find(profile.marks, asked.second) == profile.marks.end())
      missing.emplace_back(asked.second);
  }
  return missing;
}

}  // namespace maquette::rights
