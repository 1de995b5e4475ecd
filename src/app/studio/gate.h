// The gate of a studio: what a recipe uses, held against the registers, before anything is sampled.
#pragma once

#include "app/studio/studio.h"
#include "base/recipe.h"
#include "rights/registers.h"

namespace maquette::app {

// The record of the model that comes with the program, registered from the start; a record of the register in
// its place wins.
const rights::ModelRecord& starter_record();

// The SHA-256 by which records and recipes know a model of the library; read from the disk where it is new or
// has changed. Throws Error(not_found).
std::string model_hash(const std::string& name);

// The gate's answer for a checked recipe (job_recipe.h) in a show, today.
rights::Decision decide(Studio& studio, const db::Row& task, const Recipe& recipe);

// Throws Error(refused) with the open reasons unless it allows.
void require_allowed(const rights::Decision& decision);

// Today's date in UTC.
std::string today();

}  // namespace maquette::app
