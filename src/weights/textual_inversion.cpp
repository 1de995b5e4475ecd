// Textual inversion: a few vectors that stand for a new word. Published as a pickle with string_to_param
// (A1111), as safetensors with emb_params or clip_l and clip_g (kohya), and as {token: vectors} (diffusers).

#include <algorithm>

#include "weights/checkpoint.h"

namespace maquette::weights {

namespace {

constexpr int64_t kMaxVectors = 4096;
constexpr int64_t kMaxWidth = 16384;
constexpr size_t kMaxTokens = 1000;

// The width of OpenCLIP bigG, which only SDXL's second encoder has.
constexpr int64_t kSecondEncoderWidth = 1280;

struct Entry {
  std::string token;
  std::string encoder;
};

Entry entry_of(const std::string& name, const std::string& file_token) {
  constexpr std::string_view kParameter = "string_to_param.";
  if (name == "emb_params" || name.starts_with(kParameter)) return {file_token, ""};
  if (name == "clip_l") return {file_token, "text_encoder"};
  if (name == "clip_g") return {file_token, "text_encoder_2"};
  return {name, ""};
}

}  // namespace

Result<std::vector<Embedding>> textual_inversion_of(const SharedWeightFile& file) {
  const auto refused = [&](std::string found) {
    return Error(ErrorCode::weights, "cannot use \"{}\" as a textual inversion", file->path().string())
        .with("found", found)
        .with("expected", "vectors as string_to_param, emb_params, clip_l and clip_g, or under their tokens");
  };
  const auto named = file->metadata().find("name");
  const std::string token = named == file->metadata().end() ? "" : named->second;
  std::vector<Embedding> embeddings;
  for (const TensorInfo& info : file->tensors()) {
    if (info.name.starts_with("string_to_token.")) continue;
    const int rank = info.shape.rank();
    const bool fits = (rank == 1 || rank == 2) && is_floating(info.type) && info.shape[-1] > 0 &&
                      info.shape[-1] <= kMaxWidth &&
                      (rank == 1 || (info.shape[0] > 0 && info.shape[0] <= kMaxVectors));
    if (!fits) return refused(fmt::format("\"{}\" of shape {}", printable(info.name), info.shape.text()));
    if (embeddings.size() == kMaxTokens) return refused("more than 1000 tokens");
    Result<Tensor> stored = file->read(info.name);
    if (!stored) return stored.error();
    Entry entry = entry_of(info.name, token);
    const int64_t width = info.shape[-1];
    if (entry.encoder.empty())
      entry.encoder = width == kSecondEncoderWidth ? "text_encoder_2" : "text_encoder";
    const int64_t vectors = rank == 1 ? 1 : info.shape[0];
    embeddings.push_back({.token = std::move(entry.token),
                          .encoder = std::move(entry.encoder),
                          .vectors = stored->to(DType::f32).reshape({vectors, width})});
  }
  if (embeddings.empty()) return refused("no vectors");
  return embeddings;
}

Result<std::vector<Embedding>> read_textual_inversion(const fs::path& path) {
  Result<SharedWeightFile> file = open_weight_file(path);
  if (!file) return file.error();
  return textual_inversion_of(*file);
}

}  // namespace maquette::weights
