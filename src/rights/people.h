// People: notices to those who work on a production, consents of those whose voice, likeness or name is used,
// and the names that prompts are searched for.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace maquette::rights {

// That generative tools are used was told, or somebody asked to be consulted about it.
struct Notice {
  std::string kind;  // notice, consultation
  std::string to;    // whom: a department, a union, a person's id
  std::string by;    // who told, or who asked
  std::string date;
  std::string text;
  std::string answer;           // of a consultation; empty: open
  std::string document_sha256;  // may be empty
};
Json to_json(const Notice& notice);
// Throws Error(usage): kinds, dates, hashes, what may not be empty.
Notice notice_from_json(const Json& json);

struct Consent {
  std::string person;             // who consents, or whose estate does
  std::string scope;              // voice, likeness, name_in_prompt
  std::vector<std::string> uses;  // what for, specifically; never empty
  std::vector<std::string> languages;
  std::string from, until;  // dates; both needed
  std::string payment;
  std::string counsel;          // lawyer or union who stood by; needed
  bool estate = false;          // the person is dead: the estate consents
  std::string document_sha256;  // needed
  std::string revoked;          // date; empty: not
  std::string key;              // key_of the person's name; kept beside the document
};
Json to_json(const Consent& consent);
// Throws Error(usage) where a consent would not stand: no specific uses, neither counsel nor union, no
// document, no end.
Consent consent_from_json(const Json& json);

// A living artist or performer whom the studio watches for in prompts.
struct WatchedName {
  std::string name;  // as written
  std::string key;   // key_of its folded words
  std::string kind;  // artist, performer
};

// Words without case and diacritics (text/folding.h) run together, without numbers: "Zoë O'Neill" and
// "(zoe:1.2) oneill" have one key.
std::string key_of(std::span<const std::string> folded_words);
// The keys of all runs of words of a text, so that a name is found wherever it stands in whole words.
std::set<std::string, std::less<>> keys_in(std::span<const std::string> folded_words);

}  // namespace maquette::rights
