#include "media/zip_archive.h"

#include <algorithm>
#include <zip.h>

#include "base/file.h"

namespace maquette::media {

namespace {

constexpr zip_uint16_t kFirstDosDate = 1 << 5 | 1;  // 1980-01-01
constexpr size_t kPiece = size_t{1} << 20;

Error cannot_write(std::string_view found) {
  return Error(ErrorCode::failed, "cannot write the zip archive").with("found", found);
}

Error bad_zip(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the zip archive").with("found", found);
}

std::string text_of(zip_error_t& error) { return zip_error_strerror(&error); }

// Takes the source over.
void add_source(zip_t* archive, const std::string& name, zip_source_t* source, bool compressed) {
  if (source == nullptr) throw cannot_write(zip_strerror(archive));
  const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    throw cannot_write(zip_strerror(archive));
  }
  const auto at = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive, at, compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, at, 0, kFirstDosDate, 0) != 0)
    throw cannot_write(zip_strerror(archive));
}

std::string bytes_of(zip_source_t* source) {
  zip_stat_t stat;
  if (zip_source_stat(source, &stat) != 0 || zip_source_open(source) != 0)
    throw cannot_write(text_of(*zip_source_error(source)));
  std::string bytes(stat.size, '\0');
  const zip_int64_t read = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  if (read != static_cast<zip_int64_t>(bytes.size())) throw cannot_write("a short read");
  return bytes;
}

bool is_safe_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != name.npos || name.find(':') != name.npos)
    return false;
  return name != ".." && !name.starts_with("../") && name.find("/../") == name.npos && !name.ends_with("/..");
}

}  // namespace

std::string write_zip(const std::vector<ZipEntry>& entries) {
  zip_error_t error;
  zip_error_init(&error);
  // The source outlives the archive, so that its bytes can be taken out.
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> target(
      zip_source_buffer_create(nullptr, 0, 0, &error), &zip_source_free);
  if (!target) throw cannot_write(text_of(error));
  zip_source_keep(target.get());
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open_from_source(target.get(), ZIP_CREATE | ZIP_TRUNCATE, &error), &zip_discard);
  if (!archive) {
    zip_source_free(target.get());
    throw cannot_write(text_of(error));
  }
  for (const ZipEntry& entry : entries) {
    add_source(archive.get(), entry.name,
               zip_source_buffer(archive.get(), entry.bytes.data(), entry.bytes.size(), 0), entry.compressed);
  }
  if (zip_close(archive.get()) != 0) throw cannot_write(zip_strerror(archive.get()));
  static_cast<void>(archive.release());
  return bytes_of(target.get());
}

void write_zip_of_files(const std::filesystem::path& out, const std::vector<ZipFile>& files) {
  AtomicFile writing(out);
  int code = 0;
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open(writing.temporary().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code), &zip_discard);
  if (!archive) throw cannot_write(fmt::format("code {}", code));
  for (const ZipFile& each : files) {
    add_source(archive.get(), each.name, zip_source_file(archive.get(), each.file.c_str(), 0, -1), false);
  }
  if (zip_close(archive.get()) != 0) throw cannot_write(zip_strerror(archive.get()));
  static_cast<void>(archive.release());
  writing.commit();
}

struct ZipReader::State {
  zip_t* archive = nullptr;
  ZipLimits limits;
  uint64_t read = 0;

  ~State() {
    if (archive != nullptr) zip_discard(archive);
  }
};

ZipReader::ZipReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&&) noexcept = default;
ZipReader::~ZipReader() = default;

Result<ZipReader> ZipReader::open(Bytes bytes, const ZipLimits& limits) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) return bad_zip(text_of(error));
  auto state = std::make_unique<State>();
  state->limits = limits;
  state->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (state->archive == nullptr) {
    zip_source_free(source);
    return bad_zip(text_of(error));
  }
  const zip_int64_t count = zip_get_num_entries(state->archive, 0);
  if (count < 0 || static_cast<uint64_t>(count) > limits.entries)
    return bad_zip(fmt::format("{} entries", count))
        .with("expected", fmt::format("at most {}", limits.entries));
  return ZipReader(std::move(state));
}

bool ZipReader::contains(const std::string& name) const {
  return zip_name_locate(state_->archive, name.c_str(), ZIP_FL_ENC_GUESS) >= 0;
}

Result<std::string> ZipReader::read(const std::string& name) {
  const auto refuse = [&](std::string_view found) {
    Error error = bad_zip(found);
    error.with("entry", name.substr(0, 200));
    return error;
  };
  if (!is_safe_name(name)) return refuse("a name that leaves the archive");
  zip_stat_t stat;
  if (zip_stat(state_->archive, name.c_str(), ZIP_FL_ENC_GUESS, &stat) != 0) return refuse("no such entry");
  if ((stat.valid & ZIP_STAT_COMP_METHOD) != 0 && stat.comp_method != ZIP_CM_STORE &&
      stat.comp_method != ZIP_CM_DEFLATE)
    return refuse(fmt::format("compression {}, which is neither stored nor deflated", stat.comp_method));
  const uint64_t most = std::min(state_->limits.entry_bytes, state_->limits.all_bytes - state_->read);

  // What the directory says about sizes is not believed: bytes are counted as they come.
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(
      zip_fopen_index(state_->archive, stat.index, 0), &zip_fclose);
  if (!file) return refuse(zip_strerror(state_->archive));
  std::string bytes;
  for (;;) {
    const size_t at = bytes.size();
    bytes.resize(at + kPiece);
    const zip_int64_t got = zip_fread(file.get(), bytes.data() + at, kPiece);
    if (got < 0) return refuse(text_of(*zip_file_get_error(file.get())));
    bytes.resize(at + static_cast<size_t>(got));
    if (bytes.size() > most) return refuse(fmt::format("more than {} bytes unpacked", most));
    if (got == 0) break;
  }
  state_->read += bytes.size();
  return bytes;
}

}  // namespace maquette::media
