// dlopen, and a table of the functions by name. The library's own header is made when it is built and does
// not come with it; the signatures are those of its C interface, version 0.91.
#include "marks/c2pa_library.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <optional>
#include <vector>

#include "base/program_folders.h"
#include "base/text.h"

namespace maquette::marks {

namespace fs = std::filesystem;

namespace {

// Tested with 0.91.3. Functions that are used here came with 0.89, and versions before 1.0 may take some
// away.
constexpr std::string_view kTestedVersion = "0.91";
constexpr const char* kFileName = "libc2pa_c.so";

std::vector<fs::path> candidates() {
  if (const char* given = std::getenv("MAQUETTE_C2PA"); given && *given) return {given};
  std::vector<fs::path> files;
  for (const fs::path& own : program_folders()) {
    files.push_back(own / kFileName);
    files.push_back(own / "../lib/maquette" / kFileName);  // bin
    files.push_back(own / "../lib/x86_64-linux-gnu/maquette" / kFileName);
    files.push_back(own / "maquette" / kFileName);                // lib
    files.push_back(own / "../maquette" / kFileName);             // lib/x86_64-linux-gnu
    files.push_back(own / "../../../../build/c2pa" / kFileName);  // build/release/src/cli of a checkout
  }
  return files;
}

[[noreturn]] void refuse_missing(const std::vector<fs::path>& looked_in) {
  Error error(ErrorCode::not_found,
              "cannot find the C2PA library, which signs files and reads their manifests");
  for (const fs::path& file : looked_in) error.with("looked for", file.lexically_normal().string());
  throw error.hint("scripts/fetch_c2pa fetches it; MAQUETTE_C2PA names another place");
}

template <typename Function>
void find(void* library, const char* name, Function*& to) {
  void* symbol = ::dlsym(library, name);
  if (!symbol) {
    throw Error(ErrorCode::failed, "cannot use the C2PA library")
        .with("found", fmt::format("no function {}", name))
        .with("expected", fmt::format("version {}", kTestedVersion));
  }
  // POSIX lets a pointer to data hold a function's address; ISO C++ needs the copy.
  static_assert(sizeof symbol == sizeof to);
  std::memcpy(&to, &symbol, sizeof to);
}

void find_all(void* from, C2paLibrary& to) {
  find(from, "c2pa_error", to.error);
  find(from, "c2pa_create_stream", to.create_stream);
  find(from, "c2pa_release_stream", to.release_stream);
  find(from, "c2pa_settings_new", to.settings_new);
  find(from, "c2pa_settings_update_from_string", to.settings_update_from_string);
  find(from, "c2pa_context_builder_new", to.context_builder_new);
  find(from, "c2pa_context_builder_set_settings", to.context_builder_set_settings);
  find(from, "c2pa_context_builder_set_signer", to.context_builder_set_signer);
  find(from, "c2pa_context_builder_build", to.context_builder_build);
  find(from, "c2pa_signer_create", to.signer_create);
  find(from, "c2pa_builder_from_context", to.builder_from_context);
  find(from, "c2pa_builder_with_definition", to.builder_with_definition);
  find(from, "c2pa_builder_add_ingredient_from_stream", to.builder_add_ingredient_from_stream);
  find(from, "c2pa_builder_add_resource", to.builder_add_resource);
  find(from, "c2pa_builder_sign_context", to.builder_sign_context);
  find(from, "c2pa_builder_update_hash_from_stream", to.builder_update_hash_from_stream);
  find(from, "c2pa_builder_sign_embeddable", to.builder_sign_embeddable);
  find(from, "c2pa_reader_from_context", to.reader_from_context);
  find(from, "c2pa_reader_with_stream", to.reader_with_stream);
  find(from, "c2pa_reader_with_manifest_data_and_stream", to.reader_with_manifest_data_and_stream);
  find(from, "c2pa_reader_json", to.reader_json);
}

C2paLibrary open_library() {
  const std::vector<fs::path> files = candidates();
  const auto file = std::ranges::find_if(files, [](const fs::path& candidate) {
    std::error_code error;
    return fs::is_regular_file(candidate, error);
  });
  if (file == files.end()) refuse_missing(files);
  // Never closed: it may have threads and things that end with the process.
  void* opened = ::dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!opened) {
    const char* reason = ::dlerror();
    throw Error(ErrorCode::failed, "cannot open the C2PA library \"{}\"", file->string())
        .with("found", reason ? reason : "an error of the system");
  }
  C2paLibrary library{};
  find(opened, "c2pa_version", library.version);
  find(opened, "c2pa_free", library.free);
  char* text = library.version();
  const std::string version = text ? text : "";
  library.free(text);
  if (!is_tested_c2pa_version(version)) {
    throw Error(ErrorCode::failed, "cannot use the C2PA library \"{}\"", file->string())
        .with("found", version)
        .with("expected", fmt::format("version {}", kTestedVersion))
        .hint("scripts/fetch_c2pa fetches the one that was tested");
  }
  find_all(opened, library);
  return library;
}

}  // namespace

bool is_tested_c2pa_version(std::string_view version) {
  constexpr std::string_view kName = "c2pa-c-ffi/";
  if (!version.starts_with(kName)) return false;
  version.remove_prefix(kName.size());
  return version.starts_with(kTestedVersion) && version.substr(kTestedVersion.size()).starts_with('.');
}

const C2paLibrary& c2pa_library() {
  static const C2paLibrary library = open_library();  // tried again after a failure
  return library;
}

bool has_c2pa_library() {
  return std::ranges::any_of(candidates(), [](const fs::path& file) {
    std::error_code error;
    return fs::is_regular_file(file, error);
  });
}

std::string c2pa_error_text() {
  char* text = c2pa_library().error();
  const std::string copy = text ? text : "";
  c2pa_library().free(text);
  return copy.empty() ? "an error without words" : copy;
}

C2paHandle<C2paContext> make_c2pa_context(const std::string& settings_json, C2paHandle<C2paSigner> signer) {
  const C2paLibrary& library = c2pa_library();
  const C2paHandle<C2paSettings> settings(library.settings_new());
  C2paHandle<C2paContextBuilder> builder(library.context_builder_new());
  const bool ready =
      settings && builder &&
      library.settings_update_from_string(settings.get(), settings_json.c_str(), "json") == 0 &&
      library.context_builder_set_settings(builder.get(), settings.get()) == 0 &&
      (!signer || library.context_builder_set_signer(builder.get(), signer.release()) == 0);
  C2paHandle<C2paContext> context(ready ? library.context_builder_build(builder.release()) : nullptr);
  if (!context)
    throw Error(ErrorCode::failed, "cannot set up the C2PA library").with("found", c2pa_error_text());
  return context;
}

// --- streams ---------------------------------------------------------------------------------------------

intptr_t C2paInput::read(C2paStreamContext* self, uint8_t* to, intptr_t size) {
  auto& input = *reinterpret_cast<C2paInput*>(self);
  if (size <= 0 || input.at_ >= input.bytes_.size()) return 0;
  const size_t count = std::min(static_cast<size_t>(size), input.bytes_.size() - input.at_);
  std::memcpy(to, input.bytes_.data() + input.at_, count);
  input.at_ += count;
  return static_cast<intptr_t>(count);
}

intptr_t C2paInput::seek(C2paStreamContext* self, intptr_t offset, int whence) {
  auto& input = *reinterpret_cast<C2paInput*>(self);
  const std::array<size_t, 3> bases = {0, input.at_, input.bytes_.size()};
  if (whence < 0 || whence > 2) return -1;
  const auto to = static_cast<intptr_t>(bases.at(static_cast<size_t>(whence))) + offset;
  if (to < 0) return -1;
  input.at_ = static_cast<size_t>(to);
  return to;
}

C2paInput::C2paInput(std::span<const std::byte> bytes) : bytes_(bytes) {
  const auto no_write = [](C2paStreamContext*, const uint8_t*, intptr_t) -> intptr_t { return -1; };
  const auto flush = [](C2paStreamContext*) -> intptr_t { return 0; };
  stream_ =
      c2pa_library().create_stream(reinterpret_cast<C2paStreamContext*>(this), read, seek, no_write, flush);
}

C2paInput::~C2paInput() { c2pa_library().release_stream(stream_); }

C2paOutput::C2paOutput(const fs::path& file) : path_(file), file_(std::fopen(file.c_str(), "w+b")) {
  if (!file_)
    throw Error(ErrorCode::failed, "cannot write \"{}\"", file.string()).with("found", std::strerror(errno));
  // C wants a seek between reading and writing the same file; a seek to where it stands will do.
  const auto read = [](C2paStreamContext* self, uint8_t* to, intptr_t size) -> intptr_t {
    auto* file = reinterpret_cast<std::FILE*>(self);
    if (size < 0 || std::fseek(file, 0, SEEK_CUR) != 0) return -1;
    const size_t count = std::fread(to, 1, static_cast<size_t>(size), file);
    return std::ferror(file) ? -1 : static_cast<intptr_t>(count);
  };
  const auto seek = [](C2paStreamContext* self, intptr_t offset, int whence) -> intptr_t {
    auto* file = reinterpret_cast<std::FILE*>(self);
    constexpr std::array<int, 3> kWhence = {SEEK_SET, SEEK_CUR, SEEK_END};
    if (whence < 0 || whence > 2) return -1;
    return std::fseek(file, offset, kWhence.at(static_cast<size_t>(whence))) == 0 ? std::ftell(file) : -1;
  };
  const auto write = [](C2paStreamContext* self, const uint8_t* from, intptr_t size) -> intptr_t {
    auto* file = reinterpret_cast<std::FILE*>(self);
    if (size < 0 || std::fseek(file, 0, SEEK_CUR) != 0) return -1;
    const size_t count = std::fwrite(from, 1, static_cast<size_t>(size), file);
    return std::ferror(file) ? -1 : static_cast<intptr_t>(count);
  };
  const auto flush = [](C2paStreamContext* self) -> intptr_t {
    return std::fflush(reinterpret_cast<std::FILE*>(self)) == 0 ? 0 : -1;
  };
  stream_ =
      c2pa_library().create_stream(reinterpret_cast<C2paStreamContext*>(file_), read, seek, write, flush);
}

C2paOutput::~C2paOutput() {
  c2pa_library().release_stream(stream_);
  if (file_) std::fclose(file_);
}

void C2paOutput::close() {
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0)
    throw Error(ErrorCode::failed, "cannot write \"{}\"", path_.string()).with("found", std::strerror(errno));
}

}  // namespace maquette::marks
