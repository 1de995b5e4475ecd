// RecordFile: a file that grows by checksummed records, for work that may be killed at any moment. What a
// kill or a bad disk left is noticed, and everything from there on is written anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace maquette {

// Reading goes from the first record to the last; writing goes on after the record that was read last.
//
//   header, then for each record: its size and its SHA-256 in hexadecimal digits, its bytes
//
// The sum is also that of the header and the record's number, so that no record stands in for another.
class RecordFile {
 public:
  // Opens or makes the file, for this process alone. One that begins with another header is emptied. Throws
  // Error (not_found, bad_file, failed), also where another process has it open.
  RecordFile(const std::filesystem::path& path, std::string_view header);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  // Whether there was a file with something else in it.
  bool had_another_header() const { return had_another_header_; }

  // The next record, or none where the file ends or is damaged.
  std::optional<std::string> read();
  // The next to be read is the first again, or the one that was read last.
  void rewind();
  void step_back();
  // Cuts off what follows the last read record, and writes behind it. The bytes are with the system when this
  // returns: the end of the process does not lose them, the end of the machine may. Throws Error(failed) and
  // leaves the file ending with the record before.
  void append(std::string_view bytes);

 private:
  std::string sum_of(std::string_view bytes) const;
  void write_at(uint64_t offset, std::string_view bytes);

  std::filesystem::path path_;
  std::string header_;
  int descriptor_ = -1;
  bool had_another_header_ = false;
  uint64_t at_ = 0;        // where the next record begins
  uint64_t previous_ = 0;  // and the one before
  uint64_t number_ = 0;    // of the next record
};

}  // namespace maquette
