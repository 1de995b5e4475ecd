#include "marks/sign.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>

#include "marks/asset_format.h"
#include "marks/c2pa_library.h"
#include "marks/read.h"
#include "marks/xmp_container.h"

namespace maquette::marks {

namespace {

// The library's numbers are the places in this list.
constexpr std::array<std::string_view, 7> kAlgorithms = {"es256", "es384", "es512",  "ps256",
                                                         "ps384", "ps512", "ed25519"};

// No thumbnails (40 KB a file), nothing from the network, and actions and ingredients in the same list of the
// claim.
constexpr const char* kSettings =
    R"({"builder": {"thumbnail": {"enabled": false}, "created_assertion_labels": ["c2pa.ingredient.v3"]},
        "verify": {"remote_manifest_fetch": false, "ocsp_fetch": false, "verify_trust": false}})";

constexpr const char* kManifestType = "application/c2pa";

// What a signer's callback needs while the library signs, and what it threw: exceptions must not cross the
// library.
struct Signing {
  const Signer& signer;
  mutable std::exception_ptr thrown = nullptr;
};

intptr_t sign_callback(const void* context, const uint8_t* bytes, uintptr_t size, uint8_t* signature,
                       uintptr_t room) {
  const auto& signing = *static_cast<const Signing*>(context);
  try {
    const std::string made = signing.signer.sign({reinterpret_cast<const char*>(bytes), size});
    if (made.empty() || made.size() > room) return -1;
    std::ranges::copy(made, reinterpret_cast<char*>(signature));
    return static_cast<intptr_t>(made.size());
  } catch (...) {
    signing.thrown = std::current_exception();
    return -1;
  }
}

[[noreturn]] void fail(const fs::path& file, const Signing& signing) {
  const std::string reason = c2pa_error_text();
  if (signing.thrown) std::rethrow_exception(signing.thrown);
  throw Error(ErrorCode::bad_file, "cannot sign \"{}\"", file.string()).with("found", reason);
}

C2paHandle<C2paSigner> make_signer(const Signing& signing, const fs::path& file) {
  const auto* algorithm = std::ranges::find(kAlgorithms, signing.signer.algorithm);
  if (algorithm == kAlgorithms.end())
    throw Error(ErrorCode::usage, "cannot sign by \"{}\"", signing.signer.algorithm);
  C2paHandle<C2paSigner> made(c2pa_library().signer_create(&signing, sign_callback,
                                                           static_cast<int>(algorithm - kAlgorithms.begin()),
                                                           signing.signer.chain_pem.c_str(), nullptr));
  if (!made) fail(file, signing);
  return made;
}

struct Ingredient {
  fs::path file;
  std::string title;
  std::string label;
  bool component = false;
};

// A manifest beside the file is the file's own: it is handed over with what the reader found, since the
// library looks inside files only.
void add_sidecar(C2paBuilder* builder, const fs::path& file, const std::string& label, Json& json) {
  const ManifestReport report = read_manifest(file, {});
  if (!report.sidecar) return;
  if (report.label.empty()) {
    throw Error(ErrorCode::bad_file, "cannot keep the manifest \"{}\"", report.sidecar->string())
        .with("found", fmt::format("{}", report.problems))
        .hint("move it away to sign without it");
  }
  const std::string name = label + ".c2pa";
  json["manifest_data"] = {{"format", kManifestType}, {"identifier", name}};
  json["active_manifest"] = report.label;
  json["validation_results"] = report.validation_results;
  const MappedFile manifest = MappedFile::open(*report.sidecar).take();
  const C2paInput stream(manifest.bytes());
  if (c2pa_library().builder_add_resource(builder, name.c_str(), stream.get()) != 0) {
    throw Error(ErrorCode::bad_file, "cannot keep the manifest \"{}\"", report.sidecar->string())
        .with("found", c2pa_error_text());
  }
}

void add_ingredient(C2paBuilder* builder, const Ingredient& ingredient) {
  const MappedFile file = MappedFile::open(ingredient.file).take();
  const std::string type(asset_format(file.bytes()).media_type);
  Json json = {{"title", ingredient.title},
               {"format", type},
               {"label", ingredient.label},
               {"relationship", ingredient.component ? "componentOf" : "parentOf"}};
  add_sidecar(builder, ingredient.file, ingredient.label, json);
  const C2paInput stream(file.bytes());
  const std::string text = json.dump();
  if (c2pa_library().builder_add_ingredient_from_stream(builder, text.c_str(), type.c_str(), stream.get()) !=
      0) {
    throw Error(ErrorCode::bad_file, "cannot name \"{}\" as an ingredient", ingredient.file.string())
        .with("found", c2pa_error_text());
  }
}

// What the picture began as, where it is a file: the one that the disclosure names, else the file itself
// where it has a manifest already.
std::vector<Ingredient> ingredients_of(const SignRequest& request, bool has_manifest) {
  std::vector<Ingredient> found;
  const std::vector<SourceFile>& sources = request.disclosure.sources;
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::string title =
        sources[i].title.empty() ? sources[i].file.filename().string() : sources[i].title;
    found.push_back({sources[i].file, title, sources[i].component ? component_label(i) : parent_label(),
                     sources[i].component});
  }
  const auto parents = std::ranges::count(found, false, &Ingredient::component);
  if (parents > 1)
    throw Error(ErrorCode::usage, "cannot sign with two parents").with("expected", "one, and components");
  if (has_manifest && parents == 1) {
    throw Error(ErrorCode::usage, "cannot sign \"{}\" with another parent", request.file.string())
        .with("found", "a manifest in the file, which would be lost");
  }
  if (has_manifest) found.push_back({request.file, request.file.filename().string(), parent_label(), false});
  return found;
}

// The bytes to sign: those of the file, with its metadata where some are given.
std::string file_with_xmp(const SignRequest& request, std::span<const std::byte> bytes) {
  const std::string packet = find_xmp(bytes).take().value_or("");
  return with_xmp(bytes, merge_xmp(packet, *request.xmp).take()).take();
}

void embed(C2paBuilder* builder, const SignRequest& request, const Signing& signing, SignedFile& result) {
  const MappedFile file = MappedFile::open(request.file).take();
  const AssetFormat& format = asset_format(file.bytes());
  const std::string type(format.media_type);
  result.wrote_xmp = request.xmp && format.embeds_xmp;
  const std::string changed = result.wrote_xmp ? file_with_xmp(request, file.bytes()) : "";
  const C2paInput from(result.wrote_xmp ? std::as_bytes(std::span(changed)) : file.bytes());
  AtomicFile target(request.out);
  C2paOutput to(target.temporary());
  const unsigned char* manifest = nullptr;
  const int64_t size =
      c2pa_library().builder_sign_context(builder, type.c_str(), from.get(), to.get(), &manifest);
  const C2paHandle<const unsigned char> owned(manifest);
  if (size < 0) fail(request.file, signing);
  to.close();
  target.commit();
  result.manifest_bytes = static_cast<size_t>(size);
}

void write_sidecar(C2paBuilder* builder, const SignRequest& request, const Signing& signing,
                   SignedFile& result) {
  const MappedFile file = MappedFile::open(request.file).take();
  const C2paInput from(file.bytes());
  const unsigned char* manifest = nullptr;
  const C2paLibrary& library = c2pa_library();
  const bool hashed = library.builder_update_hash_from_stream(builder, kManifestType, from.get()) == 0;
  const int64_t size = hashed ? library.builder_sign_embeddable(builder, kManifestType, &manifest) : -1;
  const C2paHandle<const unsigned char> owned(manifest);
  if (size < 0) fail(request.file, signing);
  std::error_code error;
  if (!fs::equivalent(request.file, request.out, error)) {
    const std::span<const std::byte> bytes = file.bytes();
    write_file_atomically(request.out, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  result.sidecar = sidecar_of(request.out);
  result.manifest_bytes = static_cast<size_t>(size);
  write_file_atomically(*result.sidecar, {reinterpret_cast<const char*>(manifest), result.manifest_bytes});
}

}  // namespace

Signer signer_of(PrivateKey key, std::string chain_pem) {
  const auto shared = std::make_shared<PrivateKey>(std::move(key));
  return {.algorithm = shared->algorithm(),
          .chain_pem = std::move(chain_pem),
          .sign = [shared](std::string_view bytes) { return shared->sign(bytes); }};
}

SignedFile sign_file(const SignRequest& request, const Signer& signer) {
  check_signing_chain(signer.chain_pem);
  const C2paLibrary& library = c2pa_library();
  SignedFile result;
  bool embeds = false;
  {
    const MappedFile file = MappedFile::open(request.file).take();
    embeds = asset_format(file.bytes()).embeds_manifest;
    result.kept_manifest = read_manifest(request.file, {}).state != ManifestState::none;
  }
  const std::vector<Ingredient> ingredients = ingredients_of(request, result.kept_manifest);
  const bool has_parent = std::ranges::count(ingredients, false, &Ingredient::component) == 1;
  const std::string definition = manifest_definition(request.disclosure, has_parent).dump();

  const Signing signing{signer};
  const C2paHandle<C2paContext> context = make_c2pa_context(kSettings, make_signer(signing, request.file));
  C2paHandle<C2paBuilder> builder(library.builder_from_context(context.get()));
  if (builder) builder.reset(library.builder_with_definition(builder.release(), definition.c_str()));
  if (!builder) fail(request.file, signing);
  for (const Ingredient& ingredient : ingredients) add_ingredient(builder.get(), ingredient);
  if (embeds) {
    embed(builder.get(), request, signing, result);
  } else {
    write_sidecar(builder.get(), request, signing, result);
  }
  return result;
}

}  // namespace maquette::marks
