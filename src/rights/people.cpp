#include "rights/people.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "rights/documents.h"

namespace maquette::rights {

namespace {

constexpr std::string_view kNoticeFields[] = {"kind",           "to", "by", "date", "text", "answer",
                                              "document_sha256"};
constexpr std::string_view kConsentFields[] = {"person", "scope",           "uses",    "languages",
                                               "from",   "until",           "payment", "counsel",
                                               "estate", "document_sha256", "revoked"};
constexpr std::string_view kNoticeKinds[] = {"notice", "consultation"};
constexpr std::string_view kScopes[] = {"voice", "likeness", "name_in_prompt"};

void require_text(std::string_view value, std::string_view field, std::string_view what,
                  std::string_view why) {
  if (!value.empty()) return;
  throw Error(ErrorCode::usage, "{} needs \"{}\"", what, field).hint("{}", why);
}

bool is_number(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Json to_json(const Notice& notice) {
  return {{"kind", notice.kind},
          {"to", notice.to},
          {"by", notice.by},
          {"date", notice.date},
          {"text", notice.text},
          {"answer", notice.answer},
          {"document_sha256", notice.document_sha256}};
}

Notice notice_from_json(const Json& json) {
  const Fields fields(json, "a notice", kNoticeFields);
  Notice notice{.kind = fields.text("kind", "notice"),
                .to = fields.text("to"),
                .by = fields.text("by"),
                .date = fields.text("date"),
                .text = fields.text("text"),
                .answer = fields.text("answer"),
                .document_sha256 = fields.text("document_sha256")};
  require_one_of(kNoticeKinds, notice.kind, "kind of notice");
  require_text(notice.to, "to", "a notice", "who was told");
  require_text(notice.by, "by", "a notice", "who told them, or who asked");
  require_date(notice.date, "a notice");
  if (!notice.document_sha256.empty()) require_sha256(notice.document_sha256, "the notice's document");
  return notice;
}

Json to_json(const Consent& consent) {
  return {{"person", consent.person},   {"scope", consent.scope},
          {"uses", consent.uses},       {"languages", consent.languages},
          {"from", consent.from},       {"until", consent.until},
          {"payment", consent.payment}, {"counsel", consent.counsel},
          {"estate", consent.estate},   {"document_sha256", consent.document_sha256},
          {"revoked", consent.revoked}};
}

Consent consent_from_json(const Json& json) {
  const Fields fields(json, "a consent", kConsentFields);
  Consent consent{.person = fields.text("person"),
                  .scope = fields.text("scope"),
                  .uses = fields.texts("uses").value_or(std::vector<std::string>()),
                  .languages = fields.texts("languages").value_or(std::vector<std::string>()),
                  .from = fields.text("from"),
                  .until = fields.text("until"),
                  .payment = fields.text("payment"),
                  .counsel = fields.text("counsel"),
                  .estate = fields.flag("estate").value_or(false),
                  .document_sha256 = fields.text("document_sha256"),
                  .revoked = fields.text("revoked")};
  require_text(consent.person, "person", "a consent", "who consents");
  require_one_of(kScopes, consent.scope, "scope of a consent");
  const bool vague = consent.uses.empty() || std::ranges::any_of(consent.uses, &std::string::empty);
  require_text(vague ? "" : "said", "uses", "a consent", "a consent to anything at all would not stand");
  require_text(consent.counsel, "counsel", "a consent", "the lawyer or the union who stood by");
  require_date(consent.from, "a consent's beginning");
  require_date(consent.until, "a consent's end");
  require_sha256(consent.document_sha256, "the consent's document");
  if (consent.until < consent.from) throw Error(ErrorCode::usage, "the consent ends before it begins");
  if (!consent.revoked.empty()) require_date(consent.revoked, "a revocation");
  return consent;
}

std::string key_of(std::span<const std::string> folded_words) {
  std::string key;
  for (const std::string& word : folded_words) {
    if (!is_number(word)) key += word;
  }
  return key;
}

std::set<std::string, std::less<>> keys_in(std::span<const std::string> folded_words) {
  constexpr size_t kLongestName = 8;  // words
  std::vector<std::string> words;
  std::ranges::copy_if(folded_words, std::back_inserter(words),
                       [](const std::string& word) { return !is_number(word); });
  std::set<std::string, std::less<>> keys;
  for (size_t first = 0; first < words.size(); ++first) {
    std::string key;
    for (size_t i = first; i < std::min(words.size(), first + kLongestName); ++i) {
      key += words[i];
      keys.insert(key);
    }
  }
  return keys;
}

}  // namespace maquette::rights
