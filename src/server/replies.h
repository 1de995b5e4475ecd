// Replies: documents, files and errors as responses of HTTP.
#pragma once

#include "app/studio/operation.h"
#include "server/http_message.h"

namespace maquette::server {

Response json_response(int status, const Json& body);
// {"error": {"code", "what", "fields", "hint"}} with the status of its code. if_match: the version that the
// request insisted on; where that is what failed, the status is 412.
Response error_response(const Error& error, const std::optional<int64_t>& if_match = {});
// For what is no Error: nothing of it is shown.
Response fault_response();
// A reply of an operation: JSON with its version as ETag, or a file with ranges and validators.
Response reply_response(const app::Reply& reply, const RequestHead& request);

// `"5"` of If-Match; nothing for "*" or where there is none. Throws BadRequest; weak tags never match (RFC
// 9110, 13.1.1) and give -1.
std::optional<int64_t> if_match_of(const RequestHead& request);

// Headers that every answer has: what it may load, what others may do with it.
void add_security_headers(Response& response);

}  // namespace maquette::server
