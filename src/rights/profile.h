// Production profile: what a production is, what its client asks, and what needs whose written approval.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "rights/models.h"

namespace maquette::rights {

// Something that no program can see and a person must answer for each task: no, or yes with an approval.
struct Question {
  std::string id;                 // "key-element": the code of its reason
  std::string text;               // what is asked
  std::string approver;           // whose approval a yes needs: "client", "legal", "producer"
  bool only_with_inputs = false;  // asked only where pictures go into the model
};

struct ProductionProfile {
  std::optional<bool> commercial;        // absent: unknown, and treated as such
  std::optional<int64_t> revenue_usd;    // most that the licensee earns in a year; absent: unknown
  std::vector<std::string> territories;  // ISO 3166 codes, EU, WORLD; empty: unknown
  std::string policy;                    // whose rules: "netflix", a file's name; empty: the studio's own
  std::vector<Training> accepted_training = {Training::disclosed};  // without an approval
  bool notice_required = false;                                     // somebody must have been told first
  bool style_words_need_approval = false;                           // "in the style of"
  std::vector<Question> questions;
  std::map<std::string, std::string> approvers;  // code of a reason -> whose approval; "": all others
  std::vector<std::string> marks;                // that deliveries need: kMarks

  std::string approver_for(std::string_view code) const;
};

inline constexpr std::string_view kMarks[] = {"eu-article-50", "california-sb-942", "china-gb-45438", "none"};

Json to_json(const ProductionProfile& profile);
// Throws Error(usage) at unknown fields, marks, territories, and where "none" stands among other marks.
ProductionProfile profile_from_json(const Json& json);

// Names of the policies that come with the program.
std::vector<std::string> built_in_policies();
// The fields that a policy decides, as JSON to be laid over a profile's. Throws Error(not_found).
Json built_in_policy(std::string_view name);

// Marks that the territories ask for and the profile lacks.
std::vector<std::string> missing_marks(const ProductionProfile& profile);

}  // namespace maquette::rights
