// Prompt editing and alternation of the a1111 dialect: which text is in force until which step.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maquette::text {

struct ScheduledText {
  int until_step;
  std::string text;
};

struct ScheduleSteps {
  int steps = 20;
  std::optional<int> first_pass_steps;  // see PromptOptions
};

struct Schedule {
  std::vector<ScheduledText> texts;  // by until_step, which ends with `steps`; never empty
  bool unreadable = false;           // the text does not follow the grammar and is used as it is written
};

// Throws Error(usage) where brackets are nested too deep.
Schedule read_schedule(std::string_view prompt, const ScheduleSteps& steps);

}  // namespace maquette::text
