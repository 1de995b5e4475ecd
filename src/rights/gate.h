// The gate: whether a recipe may be made into pictures in a production, decided before anything is sampled.
// Pure: it sees what the registers say and the date, and asks nothing else. What is unknown is never allowed
// in silence: it needs an approval, or is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "rights/models.h"
#include "rights/people.h"
#include "rights/profile.h"

namespace maquette::rights {

enum class Verdict { allow, needs_approval, refuse };
std::string_view name(Verdict verdict);  // "allow", "needs-approval", "refuse"

// A file of a recipe that is a model.
struct UsedModel {
  std::string name;    // as the library calls it
  std::string sha256;  // of the file as it is now
};

struct RecipeFacts {
  std::string task;  // "lanterns/sq010/sh020:background"
  std::vector<UsedModel> models;
  std::vector<std::string> words;  // of all its prompts and models' names, folded (text/folding.h)
  bool has_inputs = false;         // pictures go in
};

// What a named person put down: an approval (of a reason's code and subject), a waiver (the same, for a
// name), or an answer "no" to a question of the profile, which needs no document.
struct Statement {
  std::string kind;             // approval, waiver, answer
  std::string code;             // of the reason
  std::string subject;          // of the reason; for questions also the show or a sequence: all below it
  std::string approver;         // name
  std::string role;             // for whom: "client", "producer", "legal"
  std::string date, until;      // dates; an answer needs no end
  std::string document_sha256;  // not for answers
  std::string note;
};
Json to_json(const Statement& statement);
// Throws Error(usage) where it would not count: no approver, role, date, end or document.
Statement statement_from_json(const Json& json);

struct People {
  std::vector<WatchedName> names;
  std::vector<Consent> consents;
  std::vector<Notice> notices;
};

struct GateInput {
  const RecipeFacts& facts;
  const Register& models;
  const ProductionProfile* profile = nullptr;  // null: the show has none, and nothing is checked
  const People& people;
  const std::vector<Statement>& statements;
  std::string today;  // date
};

struct Reason {
  Verdict verdict = Verdict::allow;  // as far as nobody has approved it
  std::string code;                  // "non-commercial"
  std::string subject;               // "model:starter", "name:Zoe Maler", the task
  std::string text;                  // in words
  std::string approver;              // whose approval settles it; empty where none does
  std::string settled_by;            // who did, when
  bool open() const { return verdict != Verdict::allow && settled_by.empty(); }
};

struct Decision {
  Verdict verdict = Verdict::allow;
  bool checked = false;  // false: there is no profile
  std::vector<Reason> reasons;
  std::vector<std::string> marks;  // that a delivery of it needs

  std::string text() const;  // of the open reasons, a line each
};
Json to_json(const Decision& decision);

Decision gate(const GateInput& input);

}  // namespace maquette::rights
