// What a production asks and has: its profile, notices, consents and clearances, and the gate's answer.
#include "app/studio/gate.h"
#include "app/studio/handlers.h"
#include "app/studio/job_recipe.h"
#include "app/studio/operations.h"
#include "production/references.h"
#include "text/folding.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};

rights::Writer writer_of(const Change& change) { return {change.tx, change.actor}; }

// The body's values of these names as one document; what was not said is left out.
Json said(const Call& call, std::initializer_list<std::string_view> names) {
  Json document = Json::object();
  for (const std::string_view name : names) {
    const auto found = call.arguments.find(name);
    if (found != call.arguments.end() && !found->is_null()) document[std::string(name)] = *found;
  }
  return document;
}

// --- the profile ---

Json profile_document(db::Connection& c, const db::Row& show) {
  const auto stored = rights::find_profile(c, show.text("id"));
  return {{"show", show.text("code")},
          {"profile", stored ? rights::to_json(stored->profile) : Json()},
          {"missing_marks", stored ? rights::missing_marks(stored->profile) : std::vector<std::string>()},
          {"version", stored ? stored->version : 0}};
}

Reply show_profile(Call& call) {
  const db::Row show = show_of(call, Action::rights_read);
  return document_reply(profile_document(*call.studio.database().connect(), show));
}

// A policy is laid below what is said beside it.
Reply set_profile(Call& call) {
  const db::Row show = show_of(call, Action::rights_edit);
  Json document = Json::object();
  if (const std::string policy = call.text("policy"); !policy.empty())
    document = rights::built_in_policy(policy);
  if (call.has("policy_document")) document.update(call.arguments["policy_document"]);
  document.update(
      said(call, {"commercial", "revenue_usd", "territories", "accepted_training", "notice_required",
                  "style_words_need_approval", "questions", "approvers", "marks"}));
  const rights::ProductionProfile profile = rights::profile_from_json(document);
  return changing(call, Action::rights_edit, show.text("id"), [&](const Change& change) {
    change.tx.lock_row("shows", show.text("id"));
    const auto before = rights::find_profile(*change, show.text("id"));
    production::require_version(before ? before->version : 0, call.if_match);
    rights::save_profile(writer_of(change), show.text("id"), profile);
    return document_reply(profile_document(*change, show));
  });
}

// --- notices, consents, clearances ---

Json document_of(const rights::Entry& entry) {
  Json document = {{"id", entry.id}, {"created_at", entry.created_at}};
  if (entry.kind != "notice") document["revoked_on"] = entry.ended_on.empty() ? Json() : Json(entry.ended_on);
  document[entry.kind] = entry.document;
  return document;
}

Reply add(Call& call, const std::string& kind, const Json& document, const std::string& name_key = "") {
  const db::Row show = show_of(call, Action::rights_edit);
  return changing(call, Action::rights_edit, show.text("id"), [&](const Change& change) {
    return document_reply(
        document_of(rights::add_entry(writer_of(change), show.text("id"), kind, document, name_key)), true);
  });
}

Reply list(Call& call, const std::string& kind) {
  const db::Row show = show_of(call, Action::rights_read);
  const production::PageQuery query = page_query(call);
  int64_t before = 0;
  if (!query.after.empty()) {
    try {
      before = std::stoll(query.after);
    } catch (const std::exception&) {
      throw Error(ErrorCode::usage, "cannot go on after this line").with("found", query.after.substr(0, 80));
    }
  }
  std::vector<rights::Entry> entries =
      rights::entries(*call.studio.database().connect(), show.text("id"), kind, before, query.limit + 1);
  production::Page page;
  if (entries.size() > static_cast<size_t>(query.limit)) {
    entries.pop_back();
    page.next = std::to_string(entries.back().seq);
  }
  for (const rights::Entry& entry : entries) page.items.push_back(document_of(entry));
  return list_reply(page);
}

Reply revoke(Call& call, const std::string& kind) {
  const db::Row show = show_of(call, Action::rights_edit);
  return changing(call, Action::rights_edit, show.text("id"), [&](const Change& change) {
    return document_reply(
        document_of(rights::end_entry(writer_of(change), show.text("id"), kind, call.text(kind), today())));
  });
}

Reply add_notice(Call& call) {
  Json document = said(call, {"kind", "to", "by", "date", "text", "answer", "document_sha256"});
  if (!document.contains("date")) document["date"] = today();
  return add(call, "notice", rights::to_json(rights::notice_from_json(document)));
}
Reply list_notices(Call& call) { return list(call, "notice"); }

Reply add_consent(Call& call) {
  Json document = said(call, {"person", "scope", "uses", "languages", "from", "until", "payment", "counsel",
                              "estate", "document_sha256"});
  if (!document.contains("from")) document["from"] = today();
  const rights::Consent consent = rights::consent_from_json(document);
  return add(call, "consent", rights::to_json(consent), rights::key_of(text::folded_words(consent.person)));
}
Reply list_consents(Call& call) { return list(call, "consent"); }
Reply revoke_consent(Call& call) { return revoke(call, "consent"); }

Reply add_clearance(Call& call) {
  Json document =
      said(call, {"kind", "code", "subject", "approver", "role", "date", "until", "document_sha256", "note"});
  if (!document.contains("date")) document["date"] = today();
  return add(call, "clearance", rights::to_json(rights::statement_from_json(document)));
}
Reply list_clearances(Call& call) { return list(call, "clearance"); }
Reply revoke_clearance(Call& call) { return revoke(call, "clearance"); }

// --- the gate ---

Reply check(Call& call) {
  std::optional<db::Row> task, show;
  {
    const db::Lease c = call.studio.database().connect();
    task = production::find_task(*c, call.text("task"));
    production::require(call.caller, Action::rights_read, task->text("show_id"));
    show = production::find_show(*c, task->text("show_id"));
  }
  Json document = call.arguments.at("recipe");
  if (document.is_object() && !document.contains("prompt")) document["prompt"] = task->text("brief");
  const Recipe recipe = checked_recipe(call.studio, call.caller, *show, document);
  return {.body = rights::to_json(decide(call.studio, *task, recipe))};
}

std::vector<Operation> profile_operations() {
  return {
      {"profile show",
       "GET",
       "/shows/{show}/profile",
       Action::rights_read,
       "what the production is and what it asks",
       "maquette profile show lanterns",
       {kShow},
       false,
       show_profile},
      {"profile set",
       "PUT",
       "/shows/{show}/profile",
       Action::rights_edit,
       "say what the production is: from then on the gate decides before every picture",
       "maquette profile set lanterns --commercial --revenue-usd 500000 --territories FR,US --policy netflix",
       {kShow,
        {"commercial", Place::body, Kind::flag, "whether it earns money; left out: unknown"},
        {"revenue_usd", Place::body, Kind::integer,
         "most that the licensee earns in a year; left out: unknown"},
        {"territories", Place::body, Kind::list, "ISO 3166 codes, EU, WORLD"},
        {"policy", Place::body, Kind::text, "of a client, as the program knows it: netflix"},
        {"policy_document", Place::body, Kind::object, "another policy: the fields below, from a file"},
        {"accepted_training", Place::body, Kind::list,
         "states of training data that need no approval; left out: disclosed"},
        {"notice_required", Place::body, Kind::flag, "those who work on it must have been told"},
        {"style_words_need_approval", Place::body, Kind::flag, "\"in the style of\" needs an approval"},
        {"questions", Place::body, Kind::array,
         "to be answered for each task: [{id, text, approver, only_with_inputs}]"},
        {"approvers", Place::body, Kind::object, "code of a reason: whose approval; \"\": of all others"},
        {"marks", Place::body, Kind::list,
         "that deliveries need: eu-article-50, california-sb-942, china-gb-45438, none"}},
       false,
       set_profile},
      {"gate check",
       "POST",
       "/tasks/{task}/gate",
       Action::rights_read,
       "whether a recipe may be made for a task, with the reasons",
       "maquette gate check lanterns/sq010/sh020:background --recipe '{\"model\": \"starter\"}'",
       {{"task", Place::path, Kind::text, "id, or SHOW/PATH:TYPE", true},
        {"recipe", Place::body, Kind::object, "as for a job", true}},
       false,
       check},
  };
}

std::vector<Operation> notice_operations() {
  return {
      {"notice add",
       "POST",
       "/shows/{show}/notices",
       Action::rights_edit,
       "write down that somebody was told, or asked to be consulted, about generative tools",
       "maquette notice add lanterns --to \"background department\" --by \"the producer\"",
       {kShow,
        {"to", Place::body, Kind::text, "who was told", true},
        {"by", Place::body, Kind::text, "who told, or asked", true},
        {"kind", Place::body, Kind::text, "notice (left out) or consultation"},
        {"date", Place::body, Kind::text, "left out: today"},
        {"text", Place::body, Kind::text, "what was said"},
        {"answer", Place::body, Kind::text, "to a consultation"},
        {"document_sha256", Place::body, Kind::text, "of the letter"}},
       false,
       add_notice},
      {"notice list", "GET", "/shows/{show}/notices", Action::rights_read,
       "notices and consultations, newest first", "maquette notice list lanterns", with_paging({kShow}),
       false, list_notices},
  };
}

std::vector<Operation> consent_operations() {
  return {
      {"consent add",
       "POST",
       "/shows/{show}/consents",
       Action::rights_edit,
       "write down what somebody consented to",
       "maquette consent add lanterns \"Zoe Maler\" name_in_prompt --uses \"backgrounds of episode 3\" "
       "--until "
       "2027-06-30 --counsel \"her lawyer\" --document-sha256 HASH",
       {kShow,
        {"person", Place::body, Kind::text, "who consents", true},
        {"scope", Place::body, Kind::text, "voice, likeness or name_in_prompt", true},
        {"uses", Place::body, Kind::list, "what for, specifically", true},
        {"languages", Place::body, Kind::list, "of a voice"},
        {"from", Place::body, Kind::text, "date; left out: today"},
        {"until", Place::body, Kind::text, "date", true},
        {"payment", Place::body, Kind::text, "what is paid"},
        {"counsel", Place::body, Kind::text, "the lawyer or union who stood by", true},
        {"estate", Place::body, Kind::flag, "the person is dead, and the estate consents"},
        {"document_sha256", Place::body, Kind::text, "of what was signed", true}},
       false,
       add_consent},
      {"consent list", "GET", "/shows/{show}/consents", Action::rights_read, "consents, newest first",
       "maquette consent list lanterns", with_paging({kShow}), false, list_consents},
      {"consent revoke",
       "POST",
       "/shows/{show}/consents/{consent}/revoke",
       Action::rights_edit,
       "a consent was taken back: it counts no more from today",
       "maquette consent revoke lanterns CONSENT",
       {kShow, {"consent", Place::path, Kind::text, "id", true}},
       false,
       revoke_consent},
  };
}

std::vector<Operation> clearance_operations() {
  return {
      {"clearance add",
       "POST",
       "/shows/{show}/clearances",
       Action::rights_edit,
       "write down an approval or a waiver, or the answer \"no\" to a question of the profile",
       "maquette clearance add lanterns training model:starter \"Ada L.\" --role producer --until 2027-06-30 "
       "--document-sha256 HASH",
       {kShow,
        {"code", Place::body, Kind::text, "of the gate's reason", true},
        {"subject", Place::body, Kind::text,
         "of the gate's reason; of a question also the show or a sequence", true},
        {"approver", Place::body, Kind::text, "who approves", true},
        {"kind", Place::body, Kind::text, "approval (left out), waiver or answer"},
        {"role", Place::body, Kind::text, "for whom: client, producer, legal"},
        {"date", Place::body, Kind::text, "left out: today"},
        {"until", Place::body, Kind::text, "last date on which it counts"},
        {"document_sha256", Place::body, Kind::text, "of what was signed"},
        {"note", Place::body, Kind::text, "anything else"}},
       false,
       add_clearance},
      {"clearance list", "GET", "/shows/{show}/clearances", Action::rights_read,
       "approvals, waivers and answers, newest first", "maquette clearance list lanterns",
       with_paging({kShow}), false, list_clearances},
      {"clearance revoke",
       "POST",
       "/shows/{show}/clearances/{clearance}/revoke",
       Action::rights_edit,
       "an approval, a waiver or an answer counts no more",
       "maquette clearance revoke lanterns CLEARANCE",
       {kShow, {"clearance", Place::path, Kind::text, "id", true}},
       false,
       revoke_clearance},
  };
}

}  // namespace

std::vector<Operation> rights_operations() {
  std::vector<Operation> all;
  for (const auto& part :
       {profile_operations(), notice_operations(), consent_operations(), clearance_operations()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace maquette::app
