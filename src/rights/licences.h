// Licences: what the licences of models, adapters and data sets allow, one row each. An id that is not in the
// table is unknown: nothing about it is guessed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace maquette::rights {

enum class Answer { yes, no, unknown };
std::string_view name(Answer answer);

struct Licence {
  std::string_view
      id;  // SPDX's; "LicenseRef-scancode-..." where ScanCode has one; else "LicenseRef-maquette-..."
  std::string_view title;
  Answer commercial =
      Answer::unknown;          // using the work itself to earn money; not what may be done with pictures
  int64_t revenue_cap_usd = 0;  // yearly, from which on it needs another licence; 0: none
  bool attribution = false;
  bool share_alike = false;            // what is derived must be under the same licence
  std::string_view excluded = {};      // territories in which it gives no rights: codes with spaces between
  std::string_view restrictions = {};  // of use; empty: none
  std::string_view outputs = {};       // what it says about pictures made with it
  std::string_view source = {};        // where these facts are from
};

std::span<const Licence> licences();
// By id, whatever its case, or by the names that model files and download pages use for it ("openrail++",
// "creativeml-openrail-m"). nullptr: unknown.
const Licence* find_licence(std::string_view id_or_name);
// The known licence's id; other texts as they are.
std::string licence_id(std::string_view id_or_name);

// Whether a place lies in a territory: "FR" in "EU", everything in "WORLD". ISO 3166 codes, or EU, WORLD.
bool territories_meet(std::string_view a, std::string_view b);
// Throws Error(usage) unless it is EU, WORLD or two capital letters.
void require_territory(std::string_view code);

}  // namespace maquette::rights
