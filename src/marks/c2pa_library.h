// The official C2PA library, opened at run time: the functions that are used here, what they own, and a check
// of its version. Nothing else knows its C interface, which changes often.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace maquette::marks {

// Objects of the library; only pointers to them exist here.
struct C2paSettings;
struct C2paContextBuilder;
struct C2paContext;
struct C2paBuilder;
struct C2paReader;
struct C2paSigner;
struct C2paStream;
struct C2paStreamContext;

// Answers below 0 are failures everywhere.
using C2paRead = intptr_t (*)(C2paStreamContext*, uint8_t* to, intptr_t size);
using C2paSeek = intptr_t (*)(C2paStreamContext*, intptr_t offset, int whence);  // 0 start, 1 current, 2 end
using C2paWrite = intptr_t (*)(C2paStreamContext*, const uint8_t* from, intptr_t size);
using C2paFlush = intptr_t (*)(C2paStreamContext*);
using C2paSign = intptr_t (*)(const void* context, const uint8_t* bytes, uintptr_t size, uint8_t* signature,
                              uintptr_t room);

// One member for each function, of its name without "c2pa_". A function whose comment says "takes X" owns X
// from then on, also where it fails.
struct C2paLibrary {
  char* (*version)();
  char* (*error)();
  int (*free)(const void*);  // everything below, except streams

  C2paStream* (*create_stream)(C2paStreamContext*, C2paRead, C2paSeek, C2paWrite, C2paFlush);
  void (*release_stream)(C2paStream*);

  C2paSettings* (*settings_new)();
  int (*settings_update_from_string)(C2paSettings*, const char* text, const char* format);
  C2paContextBuilder* (*context_builder_new)();
  int (*context_builder_set_settings)(C2paContextBuilder*, C2paSettings*);
  int (*context_builder_set_signer)(C2paContextBuilder*, C2paSigner*);  // takes the signer
  C2paContext* (*context_builder_build)(C2paContextBuilder*);           // takes the context builder

  C2paSigner* (*signer_create)(const void* context, C2paSign, int algorithm, const char* chain_pem,
                               const char* time_stamp_url);

  C2paBuilder* (*builder_from_context)(C2paContext*);
  C2paBuilder* (*builder_with_definition)(C2paBuilder*, const char* json);  // takes the builder
  int (*builder_add_ingredient_from_stream)(C2paBuilder*, const char* json, const char* format, C2paStream*);
  int (*builder_add_resource)(C2paBuilder*, const char* name, C2paStream*);
  int64_t (*builder_sign_context)(C2paBuilder*, const char* format, C2paStream* from, C2paStream* to,
                                  const unsigned char** manifest);
  int (*builder_update_hash_from_stream)(C2paBuilder*, const char* format, C2paStream*);
  int64_t (*builder_sign_embeddable)(C2paBuilder*, const char* format, const unsigned char** manifest);

  C2paReader* (*reader_from_context)(C2paContext*);
  C2paReader* (*reader_with_stream)(C2paReader*, const char* format, C2paStream*);  // takes the reader
  C2paReader* (*reader_with_manifest_data_and_stream)(C2paReader*, const char* format, C2paStream*,
                                                      const unsigned char* manifest,
                                                      uintptr_t size);  // takes it
  char* (*reader_json)(C2paReader*);
};

// The library, opened at the first call: the file that MAQUETTE_C2PA names, libc2pa_c.so beside the program,
// in lib/maquette of the installation, in build/c2pa of a checkout. Throws Error(not_found) where there is
// none, and Error(failed) where its version is not one that was tested, or a function is missing.
const C2paLibrary& c2pa_library();
bool has_c2pa_library();

// Whether a text of c2pa_version() ("c2pa-c-ffi/0.91.3 c2pa-rs/0.91.3") is in the tested range.
bool is_tested_c2pa_version(std::string_view version);

// The library's last failure ("NotSupported: type is unsupported"), which is then forgotten.
std::string c2pa_error_text();

// An object of the library, which is freed in the end.
struct C2paFree {
  void operator()(const void* object) const { c2pa_library().free(object); }
};
template <typename T>
using C2paHandle = std::unique_ptr<T, C2paFree>;

C2paHandle<C2paContext> make_c2pa_context(const std::string& settings_json,
                                          C2paHandle<C2paSigner> signer = {});

// Bytes in memory that the library reads; they must outlive the stream.
class C2paInput {
 public:
  explicit C2paInput(std::span<const std::byte> bytes);
  ~C2paInput();
  C2paInput(const C2paInput&) = delete;
  C2paInput& operator=(const C2paInput&) = delete;
  C2paStream* get() const { return stream_; }

 private:
  static intptr_t read(C2paStreamContext* self, uint8_t* to, intptr_t size);
  static intptr_t seek(C2paStreamContext* self, intptr_t offset, int whence);

  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  C2paStream* stream_ = nullptr;
};

// A file that the library writes (and reads again to compute its hash).
class C2paOutput {
 public:
  explicit C2paOutput(const std::filesystem::path& file);  // throws Error(failed)
  ~C2paOutput();
  C2paOutput(const C2paOutput&) = delete;
  C2paOutput& operator=(const C2paOutput&) = delete;
  C2paStream* get() const { return stream_; }
  void close();  // throws Error(failed) where not all could be written

 private:
  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
  C2paStream* stream_ = nullptr;
};

}  // namespace maquette::marks
