// Links for guests: made, listed and ended by those who may; what guests do with them is the server's
// (src/server/guests.cpp).
#include "app/studio/handlers.h"
#include "app/studio/people.h"
#include "production/accounts_links.h"
#include "production/review.h"

namespace maquette::app {

using production::Action;
using production::Change;

namespace {

db::Row playlist_of(const Call& call) {
  const db::Lease c = call.studio.database().connect();
  return production::find_playlist(*c, call.text("playlist"));
}

Reply link_create(Call& call) {
  const db::Row playlist = playlist_of(call);
  const std::string show_id = playlist.text("show_id");
  return changing(call, Action::link_create, show_id, [&](const Change& change) -> Reply {
    return {.body = production::create_link(change, {.playlist_id = playlist.text("id"),
                                                     .show_id = show_id,
                                                     .password = call.text("password"),
                                                     .expires_at = call.text("expires_at"),
                                                     .can_comment = call.flag("can_comment", true)}),
            .created = true};
  });
}

Reply link_list(Call& call) {
  const db::Row playlist = playlist_of(call);
  production::require(call.caller, Action::link_create, playlist.text("show_id"));
  const db::Lease c = call.studio.database().connect();
  return list_reply(production::links_of(*c, playlist.text("id")));
}

Reply link_revoke(Call& call) {
  const db::Row link = production::find_link(*call.studio.database().connect(), call.text("link"));
  return changing(call, Action::link_create, link.text("show_id"), [&](const Change& change) -> Reply {
    production::revoke_link(change, link);
    return {.body = {{"id", link.text("id")}, {"revoked", true}}};
  });
}

}  // namespace

std::vector<Operation> link_operations() {
  const Parameter playlist{"playlist", Place::path, Kind::text, "id of the playlist", true};
  return {
      {"link create",
       "POST",
       "/playlists/{playlist}/links",
       Action::link_create,
       "make a link with a password, for guests to look at a playlist",
       "maquette link create 019a1f0c-7f6e-7000-8000-000000000000 --password - < password.txt",
       {playlist,
        {"password", Place::body, Kind::text, "at least 6 characters", true},
        {"expires_at", Place::body, Kind::text, "UTC, like 2027-01-31T00:00:00Z (default: in 14 days)"},
        {"can_comment", Place::body, Kind::flag, "guests may comment (default: yes)"}},
       false,
       link_create},
      {"link list",
       "GET",
       "/playlists/{playlist}/links",
       Action::link_create,
       "list the links to a playlist",
       "maquette link list 019a1f0c-7f6e-7000-8000-000000000000",
       {playlist},
       false,
       link_list},
      {"link revoke",
       "POST",
       "/share-links/{link}/revoke",
       Action::link_create,
       "end a link",
       "maquette link revoke 019a1f0c-7f6e-7000-8000-000000000000",
       {{"link", Place::path, Kind::text, "id of the link", true}},
       false,
       link_revoke},
  };
}

}  // namespace maquette::app
