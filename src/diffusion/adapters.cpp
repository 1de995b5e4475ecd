// First everything is read and checked, then the model is changed: a recipe that cannot be followed changes
// nothing.
#include "diffusion/adapters.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "models/adapters/adapter_stack.h"

namespace maquette::diffusion {

struct AdapterCache::State {
  // The model's identity: memory of one of its norms or biases, which lives as long as the model does and,
  // being held here, cannot become another model's.
  Tensor anchor;
  std::optional<models::AdapterStack> stack;
  std::map<std::string, models::SharedAdapter> adapters;  // by path, size and time
  std::string inversions;                                 // the files that model.text.inversions is made of
  std::vector<std::string> inversion_notes;
};

AdapterCache::AdapterCache() : state_(std::make_unique<State>()) {}
AdapterCache::~AdapterCache() = default;
AdapterCache::AdapterCache(AdapterCache&&) noexcept = default;
AdapterCache& AdapterCache::operator=(AdapterCache&&) noexcept = default;

namespace {

Tensor anchor_of(const Model& model) {
  for (const auto& [component, parameters] : model.parameters) {
    for (const auto& [name, parameter] : parameters.all()) {
      if (parameter.shape.rank() == 1) return parameter.read();
    }
  }
  return {};
}

std::string stamp_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  const auto time = fs::last_write_time(path, error).time_since_epoch().count();
  return fmt::format("{}|{}|{}", path.string(), size, time);
}

// --------------------------------------------------------------------------------------------- adapters

// The recipe's adapters, read where they are not known yet; those that it does not name are let go.
std::vector<models::AdapterUse> adapters_of(const Recipe& recipe, AdapterCache::State& cache) {
  std::map<std::string, models::SharedAdapter> kept;
  std::vector<models::AdapterUse> uses;
  for (const Recipe::Adapter& asked : recipe.loras) {
    if (!std::isfinite(asked.unet_weight) || !std::isfinite(asked.text_weight)) {
      throw Error(ErrorCode::usage, "cannot apply \"{}\" with a weight that is no number", asked.file.path);
    }
    const std::string stamp = stamp_of(asked.file.path);
    models::SharedAdapter& adapter = kept[stamp];
    const auto known = cache.adapters.find(stamp);
    if (!adapter && known != cache.adapters.end()) adapter = known->second;
    if (!adapter) {
      adapter = std::make_shared<const models::Adapter>(models::read_adapter(asked.file.path).take());
    }
    uses.push_back({.adapter = adapter, .unet_weight = asked.unet_weight, .text_weight = asked.text_weight});
  }
  cache.adapters = std::move(kept);
  return uses;
}

// ------------------------------------------------------------------------------------ textual inversions

// The components behind the text side's branches, in their order.
std::vector<std::string> encoders_of(const Model& model) {
  std::vector<std::string> encoders;
  for (const char* name : {"text_encoder", "text_encoder_2"}) {
    if (model.parameters.contains(name)) encoders.emplace_back(name);
  }
  return encoders;
}

// The branch for vectors of this width: the one that the file means, else any whose width is right.
std::optional<size_t> branch_for(const Model& model, const weights::Embedding& embedding) {
  const std::vector<std::string> encoders = encoders_of(model);
  std::optional<size_t> fitting;
  for (size_t i = 0; i < model.text.branches.size(); ++i) {
    if (model.text.branches[i].encoder.width() != embedding.vectors.size(1)) continue;
    if (i < encoders.size() && encoders[i] == embedding.encoder) return i;
    if (!fitting) fitting = i;
  }
  return fitting;
}

std::string widths_of(const Model& model) {
  std::vector<int64_t> widths;
  for (const TextBranch& branch : model.text.branches) widths.push_back(branch.encoder.width());
  return fmt::format("{}", fmt::join(widths, " or "));
}

// Words by their names, from one file: the token that the file names, and for a single word the file's own
// name too.
std::map<std::string, TextualInversion> words_of(const Model& model, const fs::path& path,
                                                 bool allow_unmatched, std::vector<std::string>& notes) {
  const std::string stem = path.stem().string();
  std::map<std::string, TextualInversion> words;
  for (const weights::Embedding& embedding : weights::read_textual_inversion(path).take()) {
    const auto branch = branch_for(model, embedding);
    if (!branch && !allow_unmatched) {
      throw Error(ErrorCode::weights, "cannot use the textual inversion \"{}\" with this model",
                  path.string())
          .with("found", fmt::format("vectors of width {}", embedding.vectors.size(1)))
          .with("expected", widths_of(model))
          .hint("it was made for another family; --allow-unmatched leaves out what does not fit");
    }
    if (!branch) {
      notes.push_back(fmt::format("{}: vectors of width {} left out", stem, embedding.vectors.size(1)));
      continue;
    }
    TextualInversion& word = words[embedding.token.empty() ? stem : embedding.token];
    word.vectors.resize(model.text.branches.size());
    word.vectors[*branch] = embedding.vectors;
  }
  if (words.size() == 1 && !words.contains(stem)) words[stem] = words.begin()->second;
  for (auto& [name, word] : words) word.name = name;
  return words;
}

std::vector<TextualInversion> inversions_of(const Model& model, const Recipe& recipe,
                                            std::vector<std::string>& notes) {
  std::vector<TextualInversion> inversions;
  for (const FileRef& file : recipe.embeddings) {
    for (auto& [name, word] : words_of(model, file.path, recipe.allow_unmatched, notes)) {
      const auto same = std::ranges::find(inversions, name, &TextualInversion::name);
      if (same != inversions.end()) {
        notes.push_back(
            fmt::format("{}: the word \"{}\" is there already", fs::path(file.path).stem().string(), name));
        continue;
      }
      const size_t missing = static_cast<size_t>(
          std::ranges::count_if(word.vectors, [](const Tensor& vectors) { return !vectors.defined(); }));
      notes.push_back(fmt::format("{}: the word \"{}\"{}", fs::path(file.path).stem().string(), name,
                                  missing > 0 ? ", for one of the text encoders only" : ""));
      inversions.push_back(std::move(word));
    }
  }
  return inversions;
}

}  // namespace

std::vector<std::string> apply_adapters(Model& model, const Recipe& recipe, DType activations,
                                        AdapterCache& cache) {
  AdapterCache::State& state = cache.state();
  const Tensor anchor = anchor_of(model);
  if (anchor.raw() != state.anchor.raw() || !state.stack) {
    state = AdapterCache::State{.anchor = anchor};
    state.stack.emplace(model.parameters);
  }

  // Read and check.
  std::vector<std::string> notes;
  const std::vector<models::AdapterUse> uses = adapters_of(recipe, state);
  for (const models::AdapterUse& use : uses) {
    const models::AdapterReport report = state.stack->match(use.adapter);
    if (!recipe.allow_unmatched) models::require_matched(report);
    notes.push_back(report.text());
  }
  std::string wanted = recipe.allow_unmatched ? "allowed" : "";
  for (const FileRef& file : recipe.embeddings) wanted += fmt::format("\n{}", stamp_of(file.path));
  std::vector<std::string> inversion_notes = state.inversion_notes;
  std::optional<std::vector<TextualInversion>> inversions;
  if (wanted != state.inversions) {
    inversion_notes.clear();
    inversions = inversions_of(model, recipe, inversion_notes);
  }

  // Beyond this point the model changes.
  state.stack->set(uses, {.unet_type = activations});
  if (inversions) {
    model.text.inversions = *std::move(inversions);
    state.inversions = wanted;
    state.inversion_notes = inversion_notes;
  }
  notes.insert(notes.end(), inversion_notes.begin(), inversion_notes.end());
  return notes;
}

}  // namespace maquette::diffusion
