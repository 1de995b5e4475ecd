// The API's document (OpenAPI 3.1), made from the table of operations.
#pragma once

#include "base/json.h"

namespace maquette::server {

Json openapi_document();

}  // namespace maquette::server
