// Which implementation computes which problem: the one that was measured as the fastest on this processor,
// where somebody measured (`maquette tune`); otherwise the first of the ordered list that accepts it.
//
// A problem is known by its text for one picture, so that a picture does not depend on what it is computed
// together with: "conv3x3 1x64x64x320->320 bf16".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "tensor/dtype.h"

namespace maquette::kernels {

struct Choice {
  std::string by_list;  // what the ordered list takes: the choice counts only while it still does
  std::string fastest;  // by_list itself, unless another was clearly faster
  double ratio = 1;     // the time of the fastest, that of by_list being 1
  bool operator==(const Choice&) const = default;
};

struct ChoiceTable {
  std::map<std::string, Choice, std::less<>> choices;  // by problem
  std::optional<DType> fastest_type;                   // f32 or bf16; absent: not measured

  // Twelve hexadecimal digits for what of the table can change a picture; empty where nothing does.
  std::string hash() const;
  bool operator==(const ChoiceTable&) const = default;
};

// {"schema": "maquette.kernels", "version": 1, "precision": ..., "choices": {...}}
Json to_json(const ChoiceTable& table);
// Errors: another schema or version, wrong types, more or longer entries than any honest table has. Members
// that it does not know are left to others.
Result<ChoiceTable> choice_table_from_json(const Json& json);

// The table of this process; empty until somebody sets one. All of these may be called from several threads.
// A table set while a picture is computed counts from its next operation on.
ChoiceTable choice_table();
void set_choice_table(ChoiceTable table);
bool has_choices();
// What was measured for a problem that the list gives to `by_list`.
std::optional<Choice> find_choice(std::string_view problem, std::string_view by_list);
void remember_choice(const std::string& problem, const Choice& choice);
void remember_fastest_type(DType type);

// What networks compute in where nobody says: as measured, otherwise bf16 where the processor multiplies it.
DType fastest_type();

}  // namespace maquette::kernels
