// Share links: an address with a password that shows one playlist to a guest until a date. Guests may look
// and, where the link allows it, comment; nothing else.
//
// A guest who gave the password holds a ticket: the link's id, the guest's name and an end, under a keyed
// checksum (HMAC) whose key is made of the link's own secrets. A ticket is worth nothing once the link is
// revoked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "production/change.h"
#include "production/permissions.h"

namespace maquette::production {

struct NewLink {
  std::string playlist_id;
  std::string show_id;
  std::string password;
  std::string expires_at = {};  // empty: in 14 days; at most in 180
  bool can_comment = true;
};
// {id, url, token, can_comment, expires_at, created_at}: url and token are told once.
Json create_link(const Change& change, const NewLink& wanted);
std::vector<Json> links_of(db::Connection& c, const std::string& playlist_id);
// The row of share_links, with show_id. Throws Error(not_found).
db::Row find_link(db::Connection& c, const std::string& id);
void revoke_link(const Change& change, const db::Row& link);

struct Guest {
  std::string link_id;
  std::string playlist_id;
  std::string show_id;
  std::string name;
  bool can_comment = false;
};

// Checks the password, counting attempts; returns a ticket. Throws NotSignedIn, TooManyAttempts,
// Error(not_found) for links that are not there, expired or revoked.
std::string open_link(db::Database& database, std::string_view token, const std::string& password,
                      const std::string& guest_name, const std::string& address);
// Notes a comment of a guest, with a drawing (as in annotations; null: none) where there is one.
void add_guest_comment(const Change& change, const Guest& guest, const db::Row& take, const std::string& text,
                       const Json& drawing);

// The guest of a ticket for this link; nothing where it does not fit, or the link is over.
std::optional<Guest> find_guest(db::Database& database, std::string_view token, std::string_view ticket);

}  // namespace maquette::production
