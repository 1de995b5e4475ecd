// Passwords and other secrets: kept so that a stolen database does not tell them, compared so that the time
// taken tells nothing. The one place that knows Argon2.
#pragma once

#include <string>
#include <string_view>

namespace maquette {

// Argon2id (RFC 9106) with 19 MiB, two passes and one lane, as OWASP's password storage sheet asks for at
// least; as a PHC text with its own salt: "$argon2id$v=19$m=19456,t=2,p=1$...". At most a few are computed at
// the same time, so that sign-ins cannot take all of the memory. Throws Error(failed).
std::string hash_password(std::string_view password);

// Whether the password is the one of this text; an empty or foreign text fits no password.
bool verify_password(const std::string& phc, std::string_view password);

// Does the work of a verification whose answer is no: for names that nobody has.
void verify_nobody(std::string_view password);

// The time taken depends on the lengths only.
bool same_secret(std::string_view a, std::string_view b);

// HMAC (RFC 2104) with SHA-256, as lower-case hexadecimal.
std::string hmac_sha256_hex(std::string_view key, std::string_view text);

}  // namespace maquette
