// Every rule adds its reasons, each with what it would mean alone; then statements settle those that may be
// settled; the worst open reason is the verdict. A refusal is settled by changing the facts (another model,
// another licence, a new consent), never by an approval.
#include "rights/gate.h"

#include <algorithm>

#include "base/text.h"
#include "rights/documents.h"

namespace maquette::rights {

namespace {

constexpr std::string_view kStatementFields[] = {"kind", "code",  "subject",         "approver", "role",
                                                 "date", "until", "document_sha256", "note"};
constexpr std::string_view kStatementKinds[] = {"approval", "waiver", "answer"};

// Folded and run together, as keys_in() gives them.
constexpr std::string_view kStyleWords[] = {"inthestyleof", "styleof",     "artby",      "paintedby",
                                            "drawnby",      "danslestyle", "alamaniere", "imstilvon"};

class Rules {
 public:
  explicit Rules(const GateInput& input) : in_(input), profile_(*input.profile) {}

  std::vector<Reason> reasons() {
    for (const UsedModel& model : in_.facts.models) check_model(model);
    check_words();
    check_questions();
    check_notices();
    return std::move(reasons_);
  }

 private:
  void add(Verdict verdict, std::string_view code, std::string subject, std::string text) {
    const bool again = std::ranges::any_of(
        reasons_, [&](const Reason& reason) { return reason.code == code && reason.subject == subject; });
    if (again) return;
    reasons_.push_back({.verdict = verdict,
                        .code = std::string(code),
                        .subject = std::move(subject),
                        .text = std::move(text),
                        .approver = verdict == Verdict::needs_approval ? profile_.approver_for(code) : ""});
  }
  void refuse(std::string_view code, std::string subject, std::string text) {
    add(Verdict::refuse, code, std::move(subject), std::move(text));
  }
  void ask(std::string_view code, std::string subject, std::string text) {
    add(Verdict::needs_approval, code, std::move(subject), std::move(text));
  }
  void note(std::string_view code, std::string subject, std::string text) {
    add(Verdict::allow, code, std::move(subject), std::move(text));
  }

  void check_model(const UsedModel& used) {
    const std::string subject = "model:" + used.name;
    const auto found = in_.models.find(used.name);
    if (found == in_.models.end()) {
      refuse("unregistered", subject, fmt::format("the model \"{}\" is in no register", used.name));
      return;
    }
    const ModelRecord& record = found->second;
    if (record.sha256.empty() || used.sha256.empty()) {
      refuse("hash-unknown", subject, fmt::format("the file of \"{}\" was not hashed", used.name));
    } else if (record.sha256 != used.sha256) {
      refuse("hash-differs", subject,
             fmt::format("the file of \"{}\" is not the one in the register: {}, registered {}", used.name,
                         used.sha256.substr(0, 12), record.sha256.substr(0, 12)));
    }
    try {
      const Lineage lineage = lineage_of(record, in_.models);
      for (const ModelRecord* each : lineage.records) check_record(*each);
      for (const std::string& name : lineage.missing)
        ask("base-unregistered", "model:" + name,
            fmt::format("\"{}\" was made from \"{}\", which is in no register", used.name, name));
    } catch (const Error& error) {  // it comes from itself
      refuse("cycle", subject, error.what());
    }
  }

  void check_record(const ModelRecord& record) {
    const std::string subject = "model:" + record.name;
    if (!record.claimed_tensors.empty() && record.claimed_tensors != record.tensors)
      ask("hash-lie", subject,
          fmt::format("the file of \"{}\" names another hash of its tensors than they have", record.name));
    if (!record.bases && record.kind != "dataset")
      ask("bases-unknown", subject, fmt::format("nobody has said what \"{}\" was made from", record.name));
    check_training(record);
    check_licence(record);
  }

  void check_training(const ModelRecord& record) {
    if (record.kind == "dataset") return;
    if (std::ranges::find(profile_.accepted_training, record.training) != profile_.accepted_training.end())
      return;
    ask("training", "model:" + record.name,
        fmt::format("what \"{}\" was trained on is {}", record.name,
                    record.training == Training::partly ? "only partly disclosed" : name(record.training)));
  }

  void check_licence(const ModelRecord& record) {
    const std::string subject = "model:" + record.name;
    const Licence* licence = find_licence(record.licence.id);
    if (licence == nullptr) {
      ask("licence-unknown", subject,
          record.licence.id.empty()
              ? fmt::format("nobody has said under which licence \"{}\" is", record.name)
              : fmt::format("\"{}\" is under \"{}\", of which nothing is known", record.name,
                            record.licence.id));
      return;
    }
    if (record.licence.snapshot_sha256.empty())
      ask("licence-unproved", subject,
          fmt::format("that \"{}\" is under {} is only claimed: no snapshot of the text was kept",
                      record.name, licence->id));
    check_commerce(*licence, record.name, subject);
    check_territories(*licence, record.name, subject);
    if (!licence->restrictions.empty())
      note("use-restrictions", subject, fmt::format("{}: {}", licence->title, licence->restrictions));
    if (licence->attribution)
      note("attribution", subject, fmt::format("\"{}\" is to be named with its licence", record.name));
    if (licence->share_alike)
      note("share-alike", subject,
           fmt::format("what is derived from \"{}\" stays under {}", record.name, licence->id));
  }

  void check_commerce(const Licence& licence, std::string_view model, const std::string& subject) {
    if (licence.commercial == Answer::unknown) {
      ask("terms", subject,
          fmt::format("what {} allows for \"{}\" is for a person to say", licence.title, model));
      return;
    }
    if (!profile_.commercial) {
      if (licence.commercial == Answer::no || licence.revenue_cap_usd > 0)
        refuse("commercial-unknown", subject,
               fmt::format(
                   "\"{}\" is under {}, and the profile does not say whether the production is commercial",
                   model, licence.title));
      return;
    }
    if (!*profile_.commercial) return;
    if (licence.commercial == Answer::no) {
      refuse(
          "non-commercial", subject,
          fmt::format("\"{}\" is under {}, which allows no commercial use, and the production is commercial",
                      model, licence.title));
    } else if (licence.revenue_cap_usd > 0 && !profile_.revenue_usd) {
      ask("revenue-unknown", subject,
          fmt::format("\"{}\" is free below USD {} a year only, and the profile names no revenue", model,
                      licence.revenue_cap_usd));
    } else if (licence.revenue_cap_usd > 0 && *profile_.revenue_usd >= licence.revenue_cap_usd) {
      refuse("revenue-cap", subject,
             fmt::format("\"{}\" is under {}, which ends at a revenue of USD {} a year", model, licence.title,
                         licence.revenue_cap_usd));
    }
  }

  void check_territories(const Licence& licence, std::string_view model, const std::string& subject) {
    if (licence.excluded.empty()) return;
    if (profile_.territories.empty()) {
      ask("territory-unknown", subject,
          fmt::format("\"{}\" may not be used in {}, and the profile names no territories", model,
                      licence.excluded));
    }
    for (const std::string& excluded : split(licence.excluded, ' ')) {
      for (const std::string& place : profile_.territories) {
        if (territories_meet(place, excluded))
          refuse("territory", subject,
                 fmt::format("{} gives no rights to \"{}\" in {}", licence.title, model, excluded));
      }
    }
  }

  void check_words() {
    const std::set<std::string, std::less<>> keys = keys_in(in_.facts.words);
    for (const WatchedName& watched : in_.people.names) {
      if (keys.contains(watched.key)) check_name(watched);
    }
    if (!profile_.style_words_need_approval) return;
    const auto used =
        std::ranges::find_if(kStyleWords, [&](std::string_view words) { return keys.contains(words); });
    if (used != std::end(kStyleWords))
      ask("style-of", in_.facts.task, "the prompt asks for a style of somebody's");
  }

  // One consent in force is enough; where none is, what is wrong with the last one is told.
  void check_name(const WatchedName& watched) {
    const std::string subject = "name:" + watched.name;
    Reason found{.verdict = Verdict::needs_approval,
                 .code = "name",
                 .text = fmt::format("the prompt names the {} {}, and no consent is recorded", watched.kind,
                                     watched.name)};
    for (const Consent& consent : in_.people.consents) {
      if (consent.key != watched.key || consent.scope != "name_in_prompt") continue;
      const std::string who = consent.estate ? "the estate of " + watched.name : watched.name;
      if (!consent.revoked.empty() && consent.revoked <= in_.today) {
        found = {.verdict = Verdict::refuse,
                 .code = "consent-revoked",
                 .text = fmt::format("{} has revoked the consent on {}", who, consent.revoked)};
      } else if (consent.until < in_.today) {
        found = {.verdict = Verdict::refuse,
                 .code = "consent-expired",
                 .text = fmt::format("the consent of {} ended on {}", who, consent.until)};
      } else if (consent.from > in_.today) {
        found = {.verdict = Verdict::refuse,
                 .code = "consent-early",
                 .text = fmt::format("the consent of {} begins on {}", who, consent.from)};
      } else {
        note("consent", subject,
             fmt::format("{} has consented until {} to: {}", who, consent.until,
                         fmt::join(consent.uses, "; ")));
        return;
      }
    }
    add(found.verdict, found.code, subject, found.text);
  }

  void check_questions() {
    for (const Question& question : profile_.questions) {
      if (question.only_with_inputs && !in_.facts.has_inputs) continue;
      add(Verdict::needs_approval, question.id, in_.facts.task,
          fmt::format("nobody has answered: {}", question.text));
      reasons_.back().approver = question.approver;
    }
  }

  void check_notices() {
    const auto told = [&](const Notice& notice) {
      return notice.kind == "notice" && notice.date <= in_.today;
    };
    if (profile_.notice_required && std::ranges::none_of(in_.people.notices, told))
      ask("notice", in_.facts.task.substr(0, in_.facts.task.find('/')),
          "nobody was told that generative tools are used here");
    for (const Notice& notice : in_.people.notices) {
      if (notice.kind == "consultation" && notice.answer.empty())
        note("consultation", in_.facts.task.substr(0, in_.facts.task.find('/')),
             fmt::format("{} asked to be consulted on {} and was not answered", notice.by, notice.date));
    }
  }

  const GateInput& in_;
  const ProductionProfile& profile_;
  std::vector<Reason> reasons_;
};

// "lanterns" and "lanterns/sq010" hold "lanterns/sq010/sh020:background".
bool holds(std::string_view place, std::string_view subject) {
  if (place == subject) return true;
  return subject.starts_with(place) && subject.size() > place.size() &&
         (subject[place.size()] == '/' || subject[place.size()] == ':');
}

bool is_question(const ProductionProfile& profile, std::string_view code) {
  return std::ranges::find(profile.questions, code, &Question::id) != profile.questions.end();
}

bool settles(const Statement& statement, const Reason& reason, const GateInput& input) {
  const bool task_wide =
      reason.subject.find(':') == reason.subject.npos || reason.subject == input.facts.task;
  const bool about = statement.code == reason.code && (task_wide ? holds(statement.subject, reason.subject)
                                                                 : statement.subject == reason.subject);
  if (!about || statement.approver.empty() || statement.date > input.today) return false;
  if (!statement.until.empty() && statement.until < input.today) return false;
  // An answer says that the question does not apply; nothing else is settled by an answer.
  if (statement.kind == "answer") return is_question(*input.profile, reason.code);
  if (statement.document_sha256.empty() || statement.until.empty()) return false;
  if (statement.kind == "waiver" && reason.code != "name") return false;
  return statement.role == reason.approver;
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::allow: return "allow";
    case Verdict::needs_approval: return "needs-approval";
    case Verdict::refuse: return "refuse";
  }
  return "";
}

Json to_json(const Statement& statement) {
  return {{"kind", statement.kind},       {"code", statement.code},
          {"subject", statement.subject}, {"approver", statement.approver},
          {"role", statement.role},       {"date", statement.date},
          {"until", statement.until},     {"document_sha256", statement.document_sha256},
          {"note", statement.note}};
}

Statement statement_from_json(const Json& json) {
  const Fields fields(json, "an approval", kStatementFields);
  Statement statement{.kind = fields.text("kind", "approval"),
                      .code = fields.text("code"),
                      .subject = fields.text("subject"),
                      .approver = fields.text("approver"),
                      .role = fields.text("role"),
                      .date = fields.text("date"),
                      .until = fields.text("until"),
                      .document_sha256 = fields.text("document_sha256"),
                      .note = fields.text("note")};
  require_one_of(kStatementKinds, statement.kind, "kind of approval");
  const bool answer = statement.kind == "answer";
  for (const auto& [field, value] : {std::pair{"code", &statement.code},
                                     {"subject", &statement.subject},
                                     {"approver", &statement.approver}}) {
    if (value->empty()) throw Error(ErrorCode::usage, "an {} needs \"{}\"", statement.kind, field);
  }
  require_date(statement.date, "an approval");
  if (!answer && statement.role.empty())
    throw Error(ErrorCode::usage, "an approval needs \"role\"")
        .hint("for whom it is given: client, producer");
  if (!answer) require_sha256(statement.document_sha256, "the approval's document");
  if (!answer || !statement.until.empty()) require_date(statement.until, "an approval's end");
  return statement;
}

std::string Decision::text() const {
  std::string text;
  for (const Reason& reason : reasons) {
    if (!reason.open()) continue;
    text += fmt::format("{}{} [{} {}{}]", text.empty() ? "" : "\n", reason.text, reason.code, reason.subject,
                        reason.approver.empty() ? "" : ", for " + reason.approver);
  }
  return text;
}

Json to_json(const Decision& decision) {
  Json reasons = Json::array();
  for (const Reason& reason : decision.reasons) {
    reasons.push_back({{"verdict", name(reason.verdict)},
                       {"open", reason.open()},
                       {"code", reason.code},
                       {"subject", reason.subject},
                       {"text", reason.text},
                       {"approver", reason.approver},
                       {"settled_by", reason.settled_by}});
  }
  return {{"verdict", name(decision.verdict)},
          {"checked", decision.checked},
          {"reasons", reasons},
          {"marks", decision.marks}};
}

Decision gate(const GateInput& input) {
  if (input.profile == nullptr) {
    return {.reasons = {{.code = "no-profile", .text = "no profile set, nothing was checked"}}};
  }
  Decision decision{.checked = true, .reasons = Rules(input).reasons(), .marks = input.profile->marks};
  for (Reason& reason : decision.reasons) {
    if (reason.verdict == Verdict::needs_approval) {
      const auto found = std::ranges::find_if(
          input.statements, [&](const Statement& statement) { return settles(statement, reason, input); });
      if (found != input.statements.end()) {
        reason.settled_by = fmt::format("{} by {} on {}", found->kind, found->approver, found->date);
        if (!found->role.empty()) reason.settled_by += " for " + found->role;
      }
    }
    if (reason.open()) decision.verdict = std::max(decision.verdict, reason.verdict);
  }
  return decision;
}

}  // namespace maquette::rights
