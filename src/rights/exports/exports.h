// The registers in the forms that other people's tools read: CycloneDX 1.7 (ML-BOM), SPDX 3.0.1 with its AI
// and Dataset profiles, Croissant 1.1 for data sets, and cards for people in Markdown and HTML.
//
// Nothing is made up to fill a field: what the register does not know is left out, or said to be unknown
// where a form has a place for that.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "rights/models.h"

namespace maquette::rights {

// What a document is about, and when it was made.
struct ExportSubject {
  std::string title;      // "lanterns"
  std::string created;    // UTC, "2026-11-24T12:00:00Z"
  std::string id;         // a UUID: no two documents share one
  std::string generator;  // "maquette 0.1.0"
};

// Models and data sets, with what they were made from. Components of a BOM are in the order of `records`;
// those that a record names and the register lacks appear by name only. Source: CycloneDX 1.7 JSON schema
// (modelCard, componentData).
Json cyclonedx(const ExportSubject& subject, const std::vector<const ModelRecord*>& records);

// JSON-LD, one graph. Source: SPDX 3.0.1 model, AI and Dataset profiles.
Json spdx(const ExportSubject& subject, const std::vector<const ModelRecord*>& records);

// Metadata of one data set; its record says where it is and what its archive's hash is, so the distribution
// has one file. Throws Error(usage) for a record that is no data set, or has no web address or no hash:
// Croissant describes what can be fetched and checked. Source: MLCommons Croissant 1.1 and Croissant RAI 1.0.
Json croissant(const ModelRecord& dataset, const std::string& date_published);

// A card of one record with everything it comes from, for people. `html` is a page of its own without
// scripts.
enum class CardForm { markdown, html };
std::string model_card(const ModelRecord& record, const Register& models, CardForm form);

// Whether a text is an address that forms may hold as one: http or https, and only what RFC 3986 allows in
// it.
bool is_web_address(std::string_view text);

// Whether an id is one of SPDX's list; others are "LicenseRef-..." or free text.
bool is_spdx_id(const Licence& licence);

}  // namespace maquette::rights
