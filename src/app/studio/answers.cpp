// Documents are written down as one would in TypeScript, since tables of JSON Schema hide what they say:
//
//   name: type; ...      a field; "name?:" where it may be left out
//   text, integer, number, flag, id, time, sha256, object, any, or the name of a document
//   [type]               a list
//   {type}               an object whose values are of the type
//   'one' | 'another'    one of these texts
//   ... | null           or nothing
#include "app/studio/answers.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::app {

namespace {

struct Document {
  std::string_view name;
  std::string_view help;
  std::string_view fields;
};

constexpr Document kDocuments[] = {
    {"named", "something by its id and name", "id: id; name: text"},
    {"session", "who asks, and what they may do",
     "person: session_person; roles: {[text]}; permissions: {[text]}; csrf?: text; single_user?: flag; "
     "program?: text; "
     "version: integer"},
    {"session_person", "the person of a session",
     "id: id; login: text; name: text; language: text; must_change_password: flag"},
    {"token", "an API token; `token`, the secret itself, is told once",
     "id: id; name: text; scopes: [text]; created_at: time; expires_at: time | null; used_at: time | null; "
     "revoked_at: time | null; token?: text"},
    {"revoked", "what was ended", "id: id; revoked: flag"},
    {"person", "somebody; address and dates only for those who administer",
     "id: id; login: text; name: text; language: text; active: flag; roles: {[text]}; email?: text; "
     "must_change_password?: flag; created_at?: time; version: integer"},
    {"role_table", "which role may do what", "roles: [text]; actions: [text]; table: {[text]}"},

    {"show", "a show with its settings, and how much is in it",
     "id: id; code: text; name: text; root: text; status: 'open' | 'closed'; settings: settings; created_at: "
     "time; version: integer; counts: show_counts"},
    {"show_counts", "how much is in a show",
     "shots: integer; assets: integer; tasks: integer; takes: integer"},
    {"settings", "what holds for a whole show",
     "width: integer; height: integer; overscan: number; fps: number; path_template: text; max_retakes: "
     "integer; color_config: text; quotas: {integer}"},
    {"status", "a status of tasks",
     "id: id; code: text; name: text; color: text; position: integer; is_default: flag; is_wip: flag; "
     "is_done: flag; is_retake: flag; is_feedback_request: flag; is_artist_allowed: flag; "
     "is_client_allowed: flag; archived: flag; version: integer"},
    {"task_type", "a kind of task",
     "id: id; code: text; name: text; color: text; for_kind: text; archived: flag"},
    {"asset_type", "a kind of asset", "id: id; code: text; name: text"},
    {"model_limits", "the models that each role may use; a role that is not named may use all of them",
     "artist?: [text]; art-director?: [text]; technician?: [text]; trainer?: [text]; auditor?: [text]; "
     "producer?: [text]; administrator?: [text]"},

    {"entity", "an episode, sequence, shot or asset",
     "id: id; show_id: id; parent_id: id | null; kind: 'episode' | 'sequence' | 'shot' | 'asset'; "
     "asset_type: text; code: text; path: text; name: text; brief: text; status: 'standby' | 'running' | "
     "'complete' | 'canceled'; data: object; thumbnail: sha256 | null; created_at: time; version: integer"},
    {"casting", "an asset of a shot, or a shot of an asset", "entity: entity; count: integer; label: text"},
    {"board_line", "a shot with the state of its tasks",
     "entity: entity; tasks: [board_task]; casting_count: integer"},
    {"board_task", "a task on the board",
     "id: id; task_type: type_name; status: status_name; take_count: integer; retake_count: integer; "
     "approved_take_id: id | null; thumbnail: sha256 | null"},
    {"board", "a page of the board, and how long all of it is",
     "items: [board_line]; next: text | null; total: integer; offset: integer"},
    {"type_name", "a kind of task by its name", "id: id; code: text; name: text; color?: text"},
    {"status_name", "a status by its name", "id: id; code: text; name: text; color: text"},

    {"task", "what is to be painted",
     "id: id; reference: text; show_id: id; show_code: text; entity: task_entity; task_type: type_name; "
     "status: status_name; brief: text; priority: integer; revision: integer; retake_count: integer; "
     "max_retakes: integer | null; approved_take_id: id | null; thumbnail: sha256 | null; take_count: "
     "integer; assignees: [named]; due_at: text | null; started_at: time | null; done_at: time | null; "
     "created_at: time; version: integer; references?: [reference]"},
    {"task_entity", "the shot or asset of a task", "id: id; kind: text; path: text; name: text"},
    {"reference", "a picture of the brief", "sha256: sha256; name: text"},
    {"comment", "what was said, by a person or a guest, and the status that it set",
     "id: id; text: text; person: named | null; guest: text; status: status_name | null; take_id: id | null; "
     "annotation_id: id | null; said_at: time; created_at: time"},
    {"approval", "which take was approved; null: none any more",
     "take_id: id | null; person: named; role: text; reason: text; at: time"},
    {"canvas", "one's own canvas of a task", "document: any; updated_at?: time; version: integer"},
    {"canvas_version", "what the canvas is now", "version: integer"},

    {"take", "one picture proposed for a task",
     "id: id; show_id: id; task_id: id; reference: text; revision: integer; number: integer; label: text; "
     "origin: 'generated' | 'edited' | 'imported' | 'composite'; title: text; sha256: sha256; thumbnail: "
     "sha256; width: integer; height: integer; seed: text; model: text; prompt: text; job_id: id | null; "
     "state: 'proposed' | 'approved' | 'withdrawn' | 'purged'; marks: marks; parents: [take_parent]; proof: "
     "object | null; created_by: named; created_at: time; version: integer"},
    {"marks", "what people think of a take: the mean of the stars, and how many validated or rejected it",
     "stars: number | null; validated: integer; rejected: integer; mine: mark"},
    {"mark", "one's own mark", "stars: integer; verdict: 'neutral' | 'validated' | 'rejected'"},
    {"take_parent", "a take that another was made from",
     "id: id; label: text; relation: 'source' | 'init' | 'mask' | 'control' | 'layer' | 'retake'; thumbnail: "
     "sha256"},
    {"take_file", "a file beside the picture of a take",
     "representation: text; name: text; sha256: sha256; bytes: integer; media_type: text; purged_at: time | "
     "null"},
    {"recipe", "how a picture was made, as it carries it (docs/user-guide.md)", ""},
    {"lineage", "what a take was made from, and what from it; cut short where not complete",
     "takes: [take]; edges: [lineage_edge]; complete: flag"},
    {"lineage_edge", "who was made from whom", "take: id; parent: id; relation: text"},
    {"difference", "how two takes differ",
     "a: difference_side; b: difference_side; fields: [difference_field]; pictures: picture_difference"},
    {"difference_side", "one of the two takes",
     "id: id; reference: text; origin: text; created_by: named; created_at: time; state: text"},
    {"difference_field", "a setting that differs", "name: text; a: any; b: any"},
    {"picture_difference", "how the pictures differ, or the reason why that cannot be said",
     "psnr?: number | null; max_difference?: number; changed_share?: number; reason?: text"},
    {"seams", "how visible the seams are when the picture is repeated", "x: seam; y: seam"},
    {"seam", "along one axis", "ratio: number; wrap: number; typical: number; beside: number; rank: number"},
    {"stored_file", "a file of the show",
     "sha256: sha256; bytes: integer; media_type: text; width: integer; height: integer"},

    {"annotation", "a drawing on a take, in parts of its width and height",
     "id: id; take_id: id; person: named | null; guest: text; canvas_width: integer; canvas_height: integer; "
     "drawing: [stroke]; note: text; created_at: time; version: integer"},
    {"stroke", "a shape: points are [x, y] or [x, y, pressure]", ""},
    {"removed", "what was taken away", "id: id; removed: flag"},
    {"mask", "a picture made of a drawing", "sha256: sha256; width: integer; height: integer"},
    {"playlist_line", "a playlist in a list",
     "id: id; show_id: id; name: text; description: text; item_count: integer; created_at: time; version: "
     "integer"},
    {"playlist", "takes for a review, in their order",
     "id: id; show_id: id; name: text; description: text; items: [take]; archived: flag; created_at: time; "
     "version: integer"},
    {"link", "a link for guests; `token` and `url` are told once",
     "id: id; playlist_id: id; can_comment: flag; created_at: time; expires_at: time; revoked_at: time | "
     "null; url?: text; token?: text"},
    {"guest_view", "what a link shows",
     "playlist: guest_playlist; takes: [guest_take]; guest: text; can_comment: flag"},
    {"guest_playlist", "the playlist of a link", "id: id; name: text; description: text; show: text"},
    {"guest_comments", "what was said about a take of the playlist",
     "items: [guest_comment]; next: text | null"},
    {"guest_comment", "what was said, as guests read it",
     "id: id; text: text; author: text; is_guest: flag; said_at: time; drawing: [stroke]"},
    {"guest_take", "what guests see of a take",
     "id: id; reference: text; label: text; title: text; width: integer; height: integer"},
    {"done", "it was done", "done: flag"},

    {"job", "pictures to be made",
     "id: id; show_id: id; task_id: id; task_reference: text; kind: 'preview' | 'retake' | 'generate'; "
     "priority: integer; state: 'queued' | 'running' | 'done' | 'failed' | 'canceled'; count: integer; made: "
     "integer; progress: number; position: integer | null; model: text; attempts: integer; cancel_asked: "
     "flag; error: object | null; request: object; created_by: named; created_at: time; started_at: time | "
     "null; finished_at: time | null; version: integer; takes?: [id]"},
    {"model", "a model or adapter of this machine",
     "name: text; path: text; family: text; kind: text; bytes: integer; allowed: flag"},
    {"model_record",
     "what the register knows of a model, an adapter or a data set; what nobody has said is unknown",
     "name: text; kind: text; sha256: text; claimed_tensors: text; tensors: text; source: text; licence: "
     "licence_claim; training: 'disclosed' | 'partly' | 'undisclosed' | 'contested' | 'unknown'; evidence: "
     "[text]; bases: any; datasets: [text]; notes: text; terms: terms; opacity: opacity; unknown: [text]; "
     "warnings: [text]; version: integer"},
    {"licence_claim", "who says that it is under which licence, and the text as it was read",
     "id: text; claimed_by: text; where: text; snapshot_sha256: text; snapshot_date: text"},
    {"terms", "what holds for it with everything it comes from: of each, the strictest",
     "commercial: 'yes' | 'no' | 'unknown'; revenue_cap_usd: integer | null; attribution: flag; share_alike: "
     "flag; "
     "training: text; licences: [text]; restrictions: [text]; outputs: [text]; excluded: [text]"},
    {"opacity", "how little is known, 0 to 100, with reasons", "score: integer; reasons: [text]"},
    {"watched_name", "a name that prompts are searched for", "name: text; kind: 'artist' | 'performer'"},
    {"profile", "what a production is and asks; null: nothing was said, and nothing is checked",
     "show: text; profile: object | null; missing_marks: [text]; version: integer"},
    {"notice", "that somebody was told, or asked to be consulted",
     "id: id; created_at: time; notice: object"},
    {"consent", "what somebody consented to",
     "id: id; created_at: time; revoked_on: text | null; consent: object"},
    {"clearance", "an approval, a waiver or an answer",
     "id: id; created_at: time; revoked_on: text | null; clearance: object"},
    {"decision", "whether a recipe may be made in a production",
     "verdict: 'allow' | 'needs-approval' | 'refuse'; checked: flag; reasons: [gate_reason]; marks: [text]"},
    {"gate_reason", "one reason of the gate; open: nothing has settled it",
     "verdict: 'allow' | 'needs-approval' | 'refuse'; open: flag; code: text; subject: text; text: text; "
     "approver: "
     "text; settled_by: text"},
    {"samplers", "samplers and schedules", "samplers: [sampler]; schedules: [text]"},
    {"sampler", "a sampler", "name: text; description: text; stochastic: flag; aliases: [text]"},
    {"token_count", "how a prompt is read",
     "tokens: integer; limit: integer; chunks: integer; words: [token_word]; truncated?: text"},
    {"token_word", "a token and its weight", "text: text; weight: number"},

    {"event", "what happened, by whom",
     "seq: integer; id: id; show_id: text; at: time; person: named | null; role: text; action: text; "
     "subject_kind: text; subject_id: text; subject_name: text; before: any; after: any"},
    {"delivery", "what was handed over", "name: text; folder: text; manifest: text; files: [delivered_file]"},
    {"manifest", "the manifest of a delivery",
     "schema: text; show: text; name: text; made_at: time; maquette: text; files: [delivered_file]"},
    {"delivered_file", "a file that was handed over",
     "take: id; reference: text; format: text; name: text; sha256: sha256; bytes: integer; source_sha256: "
     "sha256"},
    {"import_report", "what a table brought in", "created: integer; updated: integer; lines: integer"},
    {"doctor_report", "what was found on the disk",
     "database?: text; shows: [doctor_show]; unfinished: [text]; problems: integer; healthy: flag"},
    {"doctor_show", "the files of one show",
     "code: text; folder: text; files: integer; bytes: integer; missing: [doctor_file]; altered: "
     "[doctor_file]; orphaned: [text]"},
    {"doctor_file", "a file that is not as it should be", ""},
    {"backup", "a copy of the studio, or of one show",
     "folder: text; kind: 'studio' | 'show'; files: integer; bytes: integer; rows: integer"},
};

constexpr std::string_view kPicture = "image/png, image/jpeg, image/webp, image/tiff, image/x-exr, image/bmp";

constexpr bool kMatches = true;
constexpr bool kTagged = true;

constexpr Answer kAnswers[] = {
    {"show list", Shape::page, "show"},
    {"show create", Shape::document, "show"},
    {"show info", Shape::document, "show"},
    {"show update", Shape::document, "show", kMatches},
    {"status list", Shape::page, "status"},
    {"status create", Shape::document, "status"},
    {"status update", Shape::document, "status", kMatches},
    {"task-type list", Shape::page, "task_type"},
    {"task-type create", Shape::document, "task_type"},
    {"asset-type list", Shape::page, "asset_type"},
    {"asset-type create", Shape::document, "asset_type"},

    {"entity list", Shape::page, "entity"},
    {"entity create", Shape::document, "entity"},
    {"entity info", Shape::document, "entity"},
    {"entity update", Shape::document, "entity", kMatches},
    {"episode list", Shape::page, "entity"},
    {"episode create", Shape::document, "entity"},
    {"sequence list", Shape::page, "entity"},
    {"sequence create", Shape::document, "entity"},
    {"shot list", Shape::page, "entity"},
    {"shot create", Shape::document, "entity"},
    {"asset list", Shape::page, "entity"},
    {"asset create", Shape::document, "entity"},
    {"cast list", Shape::page, "casting", !kMatches, kTagged},
    {"cast set", Shape::page, "casting", kMatches, kTagged},
    {"cast remove", Shape::page, "casting", kMatches, kTagged},
    {"board", Shape::document, "board"},

    {"task list", Shape::page, "task"},
    {"task create", Shape::document, "task"},
    {"task info", Shape::document, "task"},
    {"task update", Shape::document, "task", kMatches},
    {"task reference-add", Shape::document, "task", kMatches},
    {"task reference-remove", Shape::document, "task", kMatches},
    {"task unapprove", Shape::document, "task", kMatches},
    {"comment list", Shape::page, "comment"},
    {"comment create", Shape::document, "task", kMatches},
    {"approval list", Shape::page, "approval"},
    {"canvas show", Shape::document, "canvas"},
    {"canvas save", Shape::document, "canvas_version", kMatches},

    {"take list", Shape::page, "take"},
    {"take search", Shape::page, "take"},
    {"take import", Shape::document, "take"},
    {"take info", Shape::document, "take"},
    {"take rename", Shape::document, "take", kMatches},
    {"take recipe", Shape::document, "recipe"},
    {"take files", Shape::page, "take_file"},
    {"take file-add", Shape::document, "take", kMatches},
    {"take picture", Shape::file, kPicture},
    {"take thumbnail", Shape::file, "image/jpeg"},
    {"take mark", Shape::document, "take", kMatches},
    {"take approve", Shape::document, "take", kMatches},
    {"take withdraw", Shape::document, "take", kMatches},
    {"take restore", Shape::document, "take", kMatches},
    {"take purge", Shape::document, "take", kMatches},
    {"take lineage", Shape::document, "lineage"},
    {"take diff", Shape::document, "difference"},
    {"take prove", Shape::document, "take", kMatches},
    {"take seam", Shape::document, "seams"},
    {"file upload", Shape::document, "stored_file"},
    {"file get", Shape::file, "image/png, image/jpeg, image/webp, image/tiff, image/x-exr, application/json"},

    {"annotation list", Shape::page, "annotation"},
    {"annotation create", Shape::document, "annotation"},
    {"annotation update", Shape::document, "annotation", kMatches},
    {"annotation remove", Shape::document, "removed", kMatches},
    {"annotation mask", Shape::document, "mask"},
    {"playlist list", Shape::page, "playlist_line"},
    {"playlist create", Shape::document, "playlist"},
    {"playlist info", Shape::document, "playlist"},
    {"playlist update", Shape::document, "playlist", kMatches},
    {"playlist sheet", Shape::file, "application/pdf, image/png"},
    {"link create", Shape::document, "link"},
    {"link list", Shape::page, "link"},
    {"link revoke", Shape::document, "revoked"},

    {"job create", Shape::document, "job"},
    {"job list", Shape::page, "job"},
    {"job info", Shape::document, "job"},
    {"job cancel", Shape::document, "job", kMatches},
    {"job retry", Shape::document, "job", kMatches},
    {"job priority", Shape::document, "job", kMatches},
    {"job preview", Shape::file, "image/jpeg"},
    {"model list", Shape::page, "model"},
    {"model limits", Shape::document, "model_limits", !kMatches, kTagged},
    {"model limit", Shape::document, "model_limits", kMatches, kTagged},
    {"library samplers", Shape::document, "samplers"},
    {"library tokens", Shape::document, "token_count"},

    {"me info", Shape::document, "session"},
    {"me update", Shape::document, "session", kMatches},
    {"me password", Shape::document, "session"},
    {"token list", Shape::page, "token"},
    {"token create", Shape::document, "token"},
    {"token revoke", Shape::document, "revoked"},
    {"user list", Shape::page, "person"},
    {"user create", Shape::document, "person"},
    {"user info", Shape::document, "person"},
    {"user update", Shape::document, "person", kMatches},
    {"role list", Shape::document, "role_table"},
    {"role give", Shape::document, "person", kMatches},
    {"role withdraw", Shape::document, "person", kMatches},

    {"event list", Shape::page, "event"},
    {"deliver", Shape::document, "delivery"},
    {"delivery list", Shape::page, "manifest"},
    {"delivery file", Shape::file,
     "image/png, image/tiff, image/x-exr, image/openraster, image/vnd.adobe.photoshop, application/json"},
    {"delivery archive", Shape::file, "application/zip"},
    {"export", Shape::file, "text/csv"},
    {"import", Shape::document, "import_report"},
    {"doctor", Shape::document, "doctor_report"},
    {"backup", Shape::document, "backup"},

    {"model add", Shape::document, "model_record"},
    {"model records", Shape::page, "model_record"},
    {"model show", Shape::document, "model_record"},
    {"model set", Shape::document, "model_record", kMatches},
    {"model licence", Shape::document, "model_record", kMatches},
    {"dataset add", Shape::document, "model_record"},
    {"name add", Shape::document, "watched_name"},
    {"name list", Shape::page, "watched_name"},
    {"name remove", Shape::document, "done"},
    {"profile show", Shape::document, "profile"},
    {"profile set", Shape::document, "profile", kMatches},
    {"notice add", Shape::document, "notice"},
    {"notice list", Shape::page, "notice"},
    {"consent add", Shape::document, "consent"},
    {"consent list", Shape::page, "consent"},
    {"consent revoke", Shape::document, "consent"},
    {"clearance add", Shape::document, "clearance"},
    {"clearance list", Shape::page, "clearance"},
    {"clearance revoke", Shape::document, "clearance"},
    {"gate check", Shape::document, "decision"},
};

// --- types as schemas ---

Json basic_type(std::string_view name) {
  if (name == "text") return {{"type", "string"}};
  if (name == "integer") return {{"type", "integer"}};
  if (name == "number") return {{"type", "number"}};
  if (name == "flag") return {{"type", "boolean"}};
  if (name == "id") return {{"type", "string"}, {"pattern", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}};
  if (name == "sha256") return {{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}};
  if (name == "time")
    return {{"type", "string"}, {"pattern", "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"}};
  if (name == "object") return {{"type", "object"}};
  if (name == "any") return Json::object();
  return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

Json type_schema(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[')) {
    return {{"type", "array"}, {"items", type_schema(text.substr(1, text.size() - 2))}};
  }
  if (text.starts_with('{')) {
    return {{"type", "object"}, {"additionalProperties", type_schema(text.substr(1, text.size() - 2))}};
  }
  if (text.find('|') == text.npos) return basic_type(text);
  Json words = Json::array();
  std::string_view other;
  bool null = false;
  for (const std::string& part : split(text, '|')) {
    const std::string_view choice = trim(part);
    if (choice == "null") {
      null = true;
    } else if (choice.starts_with('\'')) {
      words.push_back(choice.substr(1, choice.size() - 2));
    } else {
      other = text.substr(text.find(choice), choice.size());
    }
  }
  if (other.empty()) {
    if (null) words.push_back(nullptr);
    return {{"enum", words}};
  }
  Json schema = basic_type(other);
  if (!schema.contains("type")) return {{"anyOf", Json::array({schema, {{"type", "null"}}})}};
  schema["type"] = Json::array({schema["type"], "null"});
  return schema;
}

Json schema_of(const Document& document) {
  Json schema = {{"description", document.help}, {"type", "object"}};
  if (document.fields.empty()) return schema;
  Json properties = Json::object(), required = Json::array();
  for (const std::string& field : split(document.fields, ';')) {
    const size_t colon = field.find(':');
    std::string_view name = trim(std::string_view(field).substr(0, colon));
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    properties[std::string(name)] = type_schema(std::string_view(field).substr(colon + 1));
    if (!optional) required.push_back(name);
  }
  schema["properties"] = properties;
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace

const Answer& answer_of(const Operation& operation) {
  const auto found = std::ranges::find(kAnswers, operation.name, &Answer::operation);
  if (found == std::end(kAnswers))
    throw Error(ErrorCode::failed, "nothing is written down about the answer of \"{}\"", operation.name)
        .with("where", "src/app/studio/answers.cpp");
  return *found;
}

const Json& document_schemas() {
  static const Json all = [] {
    Json schemas = Json::object();
    for (const Document& document : kDocuments) schemas[std::string(document.name)] = schema_of(document);
    return schemas;
  }();
  return all;
}

Json answer_schema(const Answer& answer) {
  const Json document = basic_type(answer.document);
  if (answer.shape == Shape::document) return document;
  return {{"type", "object"},
          {"properties",
           {{"items", {{"type", "array"}, {"items", document}}}, {"next", type_schema("text | null")}}},
          {"required", {"items", "next"}},
          {"additionalProperties", false}};
}

bool has_version(const Answer& answer) {
  if (answer.tagged || answer.shape != Shape::document) return answer.tagged;
  const Json& schema = document_schemas().at(std::string(answer.document));
  return schema.contains("properties") && schema["properties"].contains("version");
}

}  // namespace maquette::app
