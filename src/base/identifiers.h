// Names for new things: random bytes, UUIDs that sort by the time they were made, and the time itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace maquette {

// From the system's generator for keys; throws Error where it fails.
std::string random_bytes(size_t count);
std::string lower_hex(std::string_view bytes);
// RFC 4648, section 5, without padding: safe in URLs and cookies.
std::string base64url(std::string_view bytes);

// A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits. Within one process every
// one sorts after those before it.
std::string new_uuid();
bool is_uuid(std::string_view text);

// Coordinated universal time as "2026-11-23T18:42:00.123Z": sorts as text, and both databases keep it as it
// is.
std::string utc_text(std::chrono::system_clock::time_point time);
std::string utc_now();
// What utc_text writes, also without fractions of a second, and dates alone; anything else is an
// Error(usage).
std::chrono::system_clock::time_point parse_utc(std::string_view text);

}  // namespace maquette
