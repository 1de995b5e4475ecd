#include "base/identifiers.h"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <openssl/rand.h>

#include "base/error.h"

namespace maquette {

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw Error(ErrorCode::failed, "the system gives no random numbers");
  }
  return bytes;
}

std::string lower_hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = buffer << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += kDigits[buffer >> (bits - 6) & 63];
  }
  if (bits > 0) text += kDigits[buffer << (6 - bits) & 63];
  return text;
}

// The 12 bits after the version count within a millisecond (RFC 9562, 6.2, method 1), so that many made at
// once still sort.
std::string new_uuid() {
  static std::mutex mutex;
  static uint64_t last = 0;  // milliseconds << 12 | counter
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  uint64_t stamp = static_cast<uint64_t>(now.count()) << 12;
  {
    const std::lock_guard lock(mutex);
    stamp = last = stamp > last ? stamp : last + 1;
  }
  std::string bytes = random_bytes(16);
  for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<char>(stamp >> (12 + 40 - 8 * i));
  bytes[6] = static_cast<char>(0x70 | (stamp >> 8 & 15));
  bytes[7] = static_cast<char>(stamp);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const std::string digits = lower_hex(bytes);
  const std::string_view d = digits;
  return fmt::format("{}-{}-{}-{}-{}", d.substr(0, 8), d.substr(8, 4), d.substr(12, 4), d.substr(16, 4),
                     d.substr(20));
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (dash ? c != '-' : !digit) return false;
  }
  return true;
}

std::string utc_text(std::chrono::system_clock::time_point time) {
  using std::chrono::milliseconds;
  const auto since = std::chrono::floor<milliseconds>(time).time_since_epoch();
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(since).count();
  const auto fraction = since - std::chrono::seconds(seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, fraction.count());
}

std::string utc_now() { return utc_text(std::chrono::system_clock::now()); }

std::chrono::system_clock::time_point parse_utc(std::string_view text) {
  const std::string copy(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, read = 0;
  double second = 0;
  const bool date = std::sscanf(copy.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &read) == 3;
  bool whole = date && static_cast<size_t>(read) == copy.size();
  if (date && !whole) {
    int rest = 0;
    const bool time =
        std::sscanf(copy.c_str() + read, "T%2d:%2d:%6lfZ%n", &hour, &minute, &second, &rest) == 3;
    whole = time && rest > 0 && static_cast<size_t>(read + rest) == copy.size();
  }
  const std::chrono::year_month_day calendar{std::chrono::year(year),
                                             std::chrono::month(static_cast<unsigned>(month)),
                                             std::chrono::day(static_cast<unsigned>(day))};
  // Beyond 2200 the clock's nanoseconds end.
  if (!whole || !calendar.ok() || year < 1970 || year > 2200 || hour > 23 || minute > 59 || hour < 0 ||
      minute < 0 || second < 0 || second >= 61) {
    throw Error(ErrorCode::usage, "cannot read a time")
        .with("found", text)
        .with("expected", "2026-11-23T18:42:00Z or 2026-11-23");
  }
  const auto fine =
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::duration<double>(second));
  return std::chrono::sys_days(calendar) + std::chrono::hours(hour) + std::chrono::minutes(minute) + fine;
}

}  // namespace maquette
