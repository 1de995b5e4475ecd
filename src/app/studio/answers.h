// Answers: what every operation replies, beside the table of operations. The named documents (take, task,
// job,
// ...) and who answers which of them make the OpenAPI document, and tests hold real answers against it.
#pragma once

#include "app/studio/operation.h"

namespace maquette::app {

enum class Shape { document, page, file };  // page: {items: [documents], next}

struct Answer {
  std::string_view operation;
  Shape shape = Shape::document;
  std::string_view document;  // named by document_schemas(); of a file: its media types
  bool matches = false;       // looks at If-Match: made on a version of what its path names
  bool tagged = false;        // has an ETag without a field "version": its content is the version
};

// Of every operation there is one.
const Answer& answer_of(const Operation& operation);

// JSON Schemas by name, as of "components/schemas" of OpenAPI 3.1: the named documents.
const Json& document_schemas();
// The schema of what is answered: a reference to a document, or a page of them. Not for files.
Json answer_schema(const Answer& answer);
// The answer has an ETag: it is one resource, with a version.
bool has_version(const Answer& answer);

}  // namespace maquette::app
