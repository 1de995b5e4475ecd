#include "server/openapi.h"

#include <algorithm>
#include <map>

#include "app/studio/operation.h"
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

Json response_ref(std::string_view name) {
  return {{"$ref", fmt::format("#/components/responses/{}", name)}};
}

Json json_answer(std::string_view description) {
  return {
      {"description", description},
      {"headers",
       {{"ETag",
         {{"description", "the version, where the answer is one resource"},
          {"schema", {{"type", "string"}}}}}}},
      {"content",
       {{"application/json", {{"schema", {{"type", "object"}}}}}, {"*/*", {{"schema", Json::object()}}}}}};
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
  return {{"required", any_required}, {"content", {{"application/json", {{"schema", schema}}}}}};
}

Json operation_document(const Operation& operation) {
  Json document = {
      {"operationId", operation_id(operation.name)},
      {"summary", operation.summary},
      {"description", fmt::format("On the command line: `{}`", split(operation.example, '\n').front())},
      {"x-maquette-command", operation.name},
      {"x-maquette-action", production::name(operation.action)},
      {"tags", Json::array({operation.name.substr(0, operation.name.find(' '))})}};
  Json parameters = Json::array();
  for (const Parameter& parameter : operation.parameters) {
    if (parameter.place == Place::path) parameters.push_back(parameter_document(parameter, true));
    if (parameter.place == Place::query || (parameter.place == Place::body && operation.takes_file))
      parameters.push_back(parameter_document(parameter, false));
  }
  if (operation.method == "PATCH" || operation.method == "PUT")
    parameters.push_back({{"$ref", "#/components/parameters/ifMatch"}});
  if (!parameters.empty()) document["parameters"] = parameters;
  if (const Json body = body_document(operation); !body.is_null() && operation.method != "GET")
    document["requestBody"] = body;
  Json responses = {{operation.method == "POST" ? "2XX" : "200", json_answer("done")}};
  for (const char* status : {"400", "401", "403", "404", "409"}) responses[status] = response_ref("error");
  if (operation.takes_file) {
    responses["413"] = response_ref("error");
    responses["422"] = response_ref("error");
  }
  document["responses"] = responses;
  return document;
}

// A route that is no operation, because only a browser or a guest has a use for it.
Json special(std::string_view id, std::string_view summary, std::string_view tag,
             const Json& more = Json::object()) {
  Json document = {{"operationId", id},
                   {"summary", summary},
                   {"tags", Json::array({tag})},
                   {"responses", {{"2XX", json_answer("done")}, {"4XX", response_ref("error")}}}};
  document.update(more);
  return document;
}

Json text_body(std::initializer_list<std::string_view> required, const Json& properties) {
  Json names = Json::array();
  for (const std::string_view name : required) names.push_back(name);
  Json schema = {{"type", "object"}, {"properties", properties}};
  if (!names.empty()) schema["required"] = names;
  return {{"requestBody", {{"required", true}, {"content", {{"application/json", {{"schema", schema}}}}}}}};
}

Json path_text(std::string_view name, std::string_view help) {
  return {{"name", name},
          {"in", "path"},
          {"required", true},
          {"description", help},
          {"schema", {{"type", "string"}}}};
}

void add_special_routes(Json& paths) {
  const Json text = {{"type", "string"}};
  const Json nobody = {{"security", Json::array()}};
  Json sign_in = text_body({"login", "password"}, {{"login", text}, {"password", text}});
  sign_in.update(nobody);
  paths["/sessions"]["post"] = special("signIn", "sign in: sets the session's cookie", "session", sign_in);
  paths["/sessions/current"]["delete"] = special("signOut", "sign out", "session");
  paths["/openapi.json"]["get"] = special("openapi", "this document", "session", nobody);
  paths["/events/stream"]["get"] = special(
      "eventStream", "events as they happen, and the progress of jobs (text/event-stream)", "event",
      {{"parameters",
        Json::array(
            {{{"name", "show"}, {"in", "query"}, {"description", "only of this show"}, {"schema", text}},
             {{"name", "Last-Event-ID"},
              {"in", "header"},
              {"description", "the number of the last event that was seen: the stream goes on behind it"},
              {"schema", text}}})}});
  const Json token = path_text("token", "of the link");
  const Json take = path_text("take", "id of a take of the playlist");
  const auto guest = [&](const Json& parameters, Json more = Json::object()) {
    more["parameters"] = parameters;
    more.update(nobody);
    return more;
  };
  paths["/shared/{token}/open"]["post"] = special(
      "guestOpen", "open a link: sets the guest's cookie", "guest",
      guest(Json::array({token}), text_body({"password", "name"}, {{"password", text}, {"name", text}})));
  paths["/shared/{token}"]["get"] =
      special("guestShow", "what a link shows", "guest", guest(Json::array({token})));
  for (const char* what : {"picture", "thumbnail"}) {
    paths[fmt::format("/shared/{{token}}/takes/{{take}}/{}", what)]["get"] = special(
        fmt::format("guest{}", std::string_view(what) == "picture" ? "Picture" : "Thumbnail"),
        fmt::format("the {} of a take of the playlist", what), "guest", guest(Json::array({token, take})));
  }
  paths["/shared/{token}/takes/{take}/comments"]["post"] =
      special("guestComment", "comment on a take, where the link allows it", "guest",
              guest(Json::array({token, take}),
                    text_body({"text"}, {{"text", text}, {"drawing", {{"type", "array"}}}})));
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
  const Json error = {
      {"type", "object"},
      {"required", {"code", "what", "fields", "hint"}},
      {"properties",
       {{"code", {{"type", "string"}, {"description", "as in docs/exit-codes.md"}}},
        {"what", {{"type", "string"}, {"description", "what could not be done"}}},
        {"fields", {{"type", "object"}, {"description", "where, what was found, what was expected"}}},
        {"hint", {{"type", "string"}}}}}};
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
          {"components",
           {{"securitySchemes",
             {{"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "maquette_session"}}},
              {"token", {{"type", "http"}, {"scheme", "bearer"}}}}},
            {"parameters",
             {{"ifMatch",
               {{"name", "If-Match"},
                {"in", "header"},
                {"description", "the ETag that the change is made on; 412 where it is not the newest"},
                {"schema", {{"type", "string"}}}}}}},
            {"schemas",
             {{"error", {{"type", "object"}, {"required", {"error"}}, {"properties", {{"error", error}}}}}}},
            {"responses",
             {{"error",
               {{"description", "why not"},
                {"content",
                 {{"application/json", {{"schema", {{"$ref", "#/components/schemas/error"}}}}}}}}}}}}}};
}

}  // namespace maquette::server
