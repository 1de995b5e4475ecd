// Archives: a whole studio, or one show, as one folder that can be carried away, checked and brought back, on
// either kind of database.
//
//   archive.json          what it is, when it was made, and the SHA-256 of rows.jsonl
//   rows.jsonl            {"t": table, "r": {column: value}}, a row a line, what is referred to first
//   shows/CODE/files/     every file, named by its SHA-256
//   studio.db             of a whole studio on SQLite: the database itself, so that the folder opens as a
//   studio
//
// A show's archive holds no passwords, roles, tokens or guests' links; of people their logins and names.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// Consistent while others work: the rows of one moment, then every file they name; files are never altered,
// and those of later takes are merely too many. Written hidden, then renamed. {folder, kind, files, bytes,
// rows}. Throws Error(conflict): there is something of this name.
Json back_up(Studio& studio, const std::filesystem::path& folder);
Json back_up_show(Studio& studio, const db::Row& show, const std::filesystem::path& folder);

// Reads all of it. {kind, made_at, shows, files, bytes, rows}. Throws Error(bad_file) that names what is
// missing or altered.
Json check_archive(const std::filesystem::path& folder);

// A whole studio into an empty one (no shows, no people), a show beside others: its ids stay, people are
// matched by their logins, and those that are not here become names without sign-in. Checked first; files
// come before rows, and all rows in one transaction: after a kill, run it again. Throws Error(bad_file,
// conflict): the place is not empty, the show is there already.
Json restore(Studio& studio, const std::filesystem::path& folder);

}  // namespace maquette::app
