// Made of the table of operations (app/studio/operation.h) and of what each answers (app/studio/answers.h),
// so that it says what the program does; the few routes of browsers and guests are written down here.
#include "server/openapi.h"

#include <algorithm>
#include <map>

#include "app/studio/answers.h"
#include "base/text.h"

namespace maquette::server {

using app::Kind;
using app::Operation;
using app::Parameter;
using app::Place;

namespace {

Json schema_of(Kind kind) {
  switch (kind) {
    case Kind::text: return {{"type", "string"}};
    case Kind::integer: return {{"type", "integer"}};
    case Kind::number: return {{"type", "number"}};
    case Kind::flag: return {{"type", "boolean"}};
    case Kind::object: return {{"type", "object"}};
    case Kind::array: return {{"type", "array"}};
    case Kind::json: return {{"type", Json::array({"object", "array"})}};
    case Kind::list: return {{"type", "array"}, {"items", {{"type", "string"}}}};
  }
  return Json::object();
}

// Values that are left out may also be null.
Json optional_schema_of(const Parameter& parameter) {
  Json schema = schema_of(parameter.kind);
  if (!parameter.required) {
    Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    types.push_back("null");
    schema["type"] = types;
  }
  schema["description"] = parameter.help;
  return schema;
}

Json parameter_document(const Parameter& parameter, bool in_path) {
  return {{"name", parameter.name},
          {"in", in_path ? "path" : "query"},
          {"required", in_path || parameter.required},
          {"description", parameter.help},
          {"schema", schema_of(parameter.kind)}};
}

Json component(std::string_view kind, std::string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

// --- answers ---

Json json_content(Json schema) { return {{"application/json", {{"schema", std::move(schema)}}}}; }

Json answer_document(const app::Answer& answer) {
  if (answer.shape != app::Shape::file) {
    Json document = {{"description", "done"}, {"content", json_content(app::answer_schema(answer))}};
    if (app::has_version(answer)) document["headers"] = {{"ETag", component("headers", "version")}};
    return document;
  }
  Json content = Json::object();
  for (const std::string& type : split(answer.document, ',')) {
    const Json bytes = {{"type", "string"}, {"format", "binary"}};
    content[std::string(trim(type))] = {
        {"schema", trim(type) == "application/json" ? Json::object() : bytes}};
  }
  return {{"description", "the file"},
          {"headers", {{"ETag", component("headers", "content")}}},
          {"content", content}};
}

// Which errors an operation can have: every one names its reason in the same form.
Json with_errors(Json responses, const Operation& operation, const app::Answer& answer) {
  std::vector<std::string_view> statuses = {"400", "401", "403", "404", "409"};
  const bool has_body = operation.method != "GET" && operation.method != "DELETE";
  if (answer.matches) statuses.push_back("412");
  statuses.push_back("413");
  if (has_body && !operation.takes_file) statuses.push_back("415");
  if (answer.shape == app::Shape::file) statuses.push_back("416");
  // A file that was given, or one that lies in the store, which cannot be used.
  statuses.push_back("422");
  statuses.push_back("429");
  statuses.push_back("500");
  for (const std::string_view status : statuses)
    responses[std::string(status)] = component("responses", "error");
  // Said before the request was read.
  for (const char* status : {"431", "503"}) responses[status] = component("responses", "protocol");
  return responses;
}

// Words of the command line as one name: "take approve" -> takeApprove.
std::string operation_id(std::string_view name) {
  std::string id;
  bool upper = false;
  for (const char letter : name) {
    if (letter == ' ' || letter == '-') {
      upper = true;
    } else {
      id += upper && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
      upper = false;
    }
  }
  return id;
}

Json body_document(const Operation& operation) {
  if (operation.takes_file) {
    return {{"required", true},
            {"description", "the bytes of the file; its name may stand in X-File-Name, percent-encoded"},
            {"content",
             {{"application/octet-stream", {{"schema", {{"type", "string"}, {"format", "binary"}}}}}}}};
  }
  Json properties = Json::object();
  Json required = Json::array();
  for (const Parameter& parameter : operation.parameters) {
    if (parameter.place != Place::body) continue;
    properties[std::string(parameter.name)] = optional_schema_of(parameter);
    if (parameter.required) required.push_back(parameter.name);
  }
  if (properties.empty()) return nullptr;
  const bool any_required = !required.empty();
  Json schema = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (any_required) schema["required"] = required;
  return {{"required", any_required}, {"content", json_content(schema)}};
}

Json parameter_documents(const Operation& operation, const app::Answer& answer) {
  Json parameters = Json::array();
  for (const Parameter& parameter : operation.parameters) {
    if (parameter.place == Place::path) parameters.push_back(parameter_document(parameter, true));
    if (parameter.place == Place::query || (parameter.place == Place::body && operation.takes_file))
      parameters.push_back(parameter_document(parameter, false));
  }
  if (answer.matches) parameters.push_back(component("parameters", "ifMatch"));
  if (operation.takes_file) parameters.push_back(component("parameters", "fileName"));
  return parameters;
}

Json operation_document(const Operation& operation) {
  const app::Answer& answer = app::answer_of(operation);
  Json document = {
      {"operationId", operation_id(operation.name)},
      {"summary", operation.summary},
      {"description", fmt::format("On the command line: `{}`", split(operation.example, '\n').front())},
      {"x-maquette-command", operation.name},
      {"x-maquette-action", production::name(operation.action)},
      {"tags", Json::array({operation.name.substr(0, operation.name.find(' '))})}};
  if (operation.others) document["x-maquette-action-others"] = production::name(*operation.others);
  if (const Json parameters = parameter_documents(operation, answer); !parameters.empty())
    document["parameters"] = parameters;
  if (const Json body = body_document(operation); !body.is_null() && operation.method != "GET")
    document["requestBody"] = body;
  Json responses = {{operation.method == "POST" ? "2XX" : "200", answer_document(answer)}};
  if (answer.shape == app::Shape::file) {
    responses["206"] = answer_document(answer);
    responses["304"] = {{"description", "as it was (If-None-Match)"}};
  }
  document["responses"] = with_errors(std::move(responses), operation, answer);
  return document;
}

// --- routes that are no operations, because only a browser or a guest has a use for them ---

// answers: the named document, or nothing at all.
Json special(std::string_view id, std::string_view summary, std::string_view tag, std::string_view answers,
             const Json& more = Json::object()) {
  Json answer = {{"description", "done"}};
  if (!answers.empty()) answer["content"] = json_content(component("schemas", answers));
  Json document = {{"operationId", id},
                   {"summary", summary},
                   {"tags", Json::array({tag})},
                   {"responses",
                    {{"2XX", answer},
                     {"4XX", component("responses", "error")},
                     {"5XX", component("responses", "error")}}}};
  document.update(more);
  return document;
}

Json text_body(std::initializer_list<std::string_view> required, const Json& properties) {
  Json schema = {{"type", "object"}, {"properties", properties}, {"required", Json::array()}};
  for (const std::string_view name : required) schema["required"].push_back(name);
  return {{"requestBody", {{"required", true}, {"content", json_content(schema)}}}};
}

Json path_text(std::string_view name, std::string_view help) {
  return {{"name", name},
          {"in", "path"},
          {"required", true},
          {"description", help},
          {"schema", {{"type", "string"}}}};
}

Json with_content(Json document, std::string_view type) {
  document["responses"]["2XX"]["content"] = {{std::string(type), {{"schema", {{"type", "string"}}}}}};
  if (type == "image/*")
    document["responses"]["2XX"]["headers"] = {{"ETag", component("headers", "content")}};
  return document;
}

void add_guest_routes(Json& paths) {
  const Json text = {{"type", "string"}};
  const Json token = path_text("token", "of the link");
  const Json take = path_text("take", "id of a take of the playlist");
  const auto guest = [&](const Json& parameters, Json more = Json::object()) {
    more["parameters"] = parameters;
    more["security"] = Json::array();
    return more;
  };
  paths["/shared/{token}/open"]["post"] = special(
      "guestOpen", "open a link: sets the guest's cookie", "guest", "guest_view",
      guest(Json::array({token}), text_body({"password", "name"}, {{"password", text}, {"name", text}})));
  paths["/shared/{token}"]["get"] =
      special("guestShow", "what a link shows", "guest", "guest_view", guest(Json::array({token})));
  for (const char* what : {"picture", "thumbnail"}) {
    paths[fmt::format("/shared/{{token}}/takes/{{take}}/{}", what)]["get"] = with_content(
        special(fmt::format("guest{}", std::string_view(what) == "picture" ? "Picture" : "Thumbnail"),
                fmt::format("the {} of a take of the playlist", what), "guest", "",
                guest(Json::array({token, take}))),
        "image/*");
  }
  paths["/shared/{token}/takes/{take}/comments"]["get"] =
      special("guestComments", "what was said about a take of the playlist, oldest first", "guest",
              "guest_comments", guest(Json::array({token, take})));
  paths["/shared/{token}/takes/{take}/comments"]["post"] = special(
      "guestComment", "comment on a take, where the link allows it", "guest", "done",
      guest(Json::array({token, take}),
            text_body({"text"}, {{"text", text}, {"drawing", {{"type", Json::array({"array", "null"})}}}})));
}

void add_special_routes(Json& paths) {
  const Json text = {{"type", "string"}};
  const Json nobody = {{"security", Json::array()}};
  Json sign_in = text_body({"login", "password"}, {{"login", text}, {"password", text}});
  sign_in.update(nobody);
  paths["/sessions"]["post"] =
      special("signIn", "sign in: sets the session's cookie", "session", "session", sign_in);
  paths["/sessions/current"]["delete"] = special("signOut", "sign out", "session", "");
  paths["/openapi.json"]["get"] = special("openapi", "this document", "session", "openapi", nobody);
  paths["/events/stream"]["get"] = with_content(
      special(
          "eventStream", "events as they happen, and the progress of jobs", "event", "",
          {{"parameters",
            Json::array(
                {{{"name", "show"}, {"in", "query"}, {"description", "only of this show"}, {"schema", text}},
                 {{"name", "Last-Event-ID"},
                  {"in", "header"},
                  {"description", "the number of the last event that was seen: the stream goes on behind it"},
                  {"schema", text}}})}}),
      "text/event-stream");
  add_guest_routes(paths);
}

// --- components ---

Json error_schema() {
  const Json text = {{"type", "string"}};
  const Json error = {{"type", "object"},
                      {"required", {"code", "what", "fields", "hint"}},
                      {"additionalProperties", false},
                      {"properties",
                       {{"code", {{"type", "string"}, {"description", "as in docs/exit-codes.md"}}},
                        {"what", {{"type", "string"}, {"description", "what could not be done"}}},
                        {"fields",
                         {{"type", "object"},
                          {"additionalProperties", text},
                          {"description", "where, what was found, what was expected"}}},
                        {"hint", text}}}};
  return {{"description", "why not: the five parts of every message of Maquette"},
          {"type", "object"},
          {"required", {"error"}},
          {"additionalProperties", false},
          {"properties", {{"error", error}}}};
}

Json components() {
  const Json text = {{"type", "string"}};
  Json schemas = app::document_schemas();
  schemas["error"] = error_schema();
  schemas["openapi"] = {{"description", "an OpenAPI document"}, {"type", "object"}};
  return {{"securitySchemes",
           {{"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "maquette_session"}}},
            {"token", {{"type", "http"}, {"scheme", "bearer"}}}}},
          {"parameters",
           {{"ifMatch",
             {{"name", "If-Match"},
              {"in", "header"},
              {"description", "the ETag that the change is made on; 412 where it is not the newest"},
              {"schema", text}}},
            {"fileName",
             {{"name", "X-File-Name"},
              {"in", "header"},
              {"description", "what the sender calls the file, percent-encoded"},
              {"schema", text}}}}},
          {"headers",
           {{"version", {{"description", "the version of what is answered, for If-Match"}, {"schema", text}}},
            {"content", {{"description", "names the bytes, for If-None-Match"}, {"schema", text}}}}},
          {"schemas", schemas},
          {"responses",
           {{"error", {{"description", "why not"}, {"content", json_content(component("schemas", "error"))}}},
            {"protocol",
             {{"description", "the head of the request is too long, or there are too many connections"},
              {"content", {{"text/plain", {{"schema", text}}}}}}}}}};
}

}  // namespace

Json openapi_document() {
  std::map<std::string, Json> by_path;
  for (const Operation& operation : app::operations()) {
    by_path[std::string(operation.path)][lower_ascii(operation.method)] = operation_document(operation);
  }
  Json paths = Json::object();
  for (const auto& [path, methods] : by_path) paths[path] = methods;
  add_special_routes(paths);
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Maquette"},
            {"version", "1"},
            {"description",
             "A studio's shows, takes, reviews and jobs. Lists answer {items, next}; `next` goes into "
             "`after` of the "
             "next question. Methods other than GET need the header X-CSRF-Token (from GET /me), or an API "
             "token."},
            {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"servers", Json::array({{{"url", "/api/v1"}}})},
          {"security", Json::array({{{"cookie", Json::array()}}, {{"token", Json::array()}}})},
          {"paths", paths},
          {"components", components()}};
}

}  // namespace maquette::server
