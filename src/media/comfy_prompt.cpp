// From the sampler the wires are followed back, each kind for what it says:
//   model          adapters, then the checkpoint
//   positive, negative   text encoders, past nodes that only change a condition
//   latent_image   an empty latent (its size), another sampler (a first pass), or an encoded picture
// Graphs may be cyclic in hostile files: every walk has a limit of steps.
#include "media/comfy_prompt.h"

#include <algorithm>
#include <array>
#include <set>

#include "media/comfy_graph.h"

namespace maquette::media {

namespace {

using Node = ComfyGraph::Node;

constexpr int kMaxWalk = 64;
constexpr size_t kMaxNotes = 100;
constexpr size_t kMaxAdapters = 64;
constexpr int kMaxSteps = 10'000;

bool is_sampler(const Node& node) {
  return node.kind == "KSampler" || node.kind == "KSamplerAdvanced" || node.kind == "SamplerCustom" ||
         node.kind == "SamplerCustomAdvanced";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

class RecipeReader {
 public:
  explicit RecipeReader(const ComfyGraph& graph) : graph_(graph) { result_.recipe.dialect = Dialect::comfy; }

  // The last sampler in front of something that saves, or the last one of the text.
  const Node* last_sampler() {
    for (const Node& node : graph_.nodes()) {
      if (!contains(node.kind, "Save") && !contains(node.kind, "Preview")) continue;
      used_.insert(node.id);
      if (const Node* sampler = sampler_behind(node, "images")) return sampler;
    }
    const Node* last = nullptr;
    for (const Node& node : graph_.nodes()) {
      if (is_sampler(node)) last = &node;
    }
    return last;
  }

  void read(const Node& last) {
    const Node* sampler = &last;
    // A second pass over a latent that was enlarged: the first one is the recipe's own.
    if (const Node* first = first_pass(*sampler)) {
      read_second_pass(*sampler);
      sampler = first;
    }
    read_sampler(*sampler);
    read_model(*sampler);
    Recipe& r = result_.recipe;
    const auto positive = read_text(*sampler, "positive");
    const auto negative = read_text(*sampler, "negative");
    r.prompt = positive.value_or("");
    r.negative = negative;
    if (!positive) note("the prompt was not found");
    read_latent(*sampler);
    note_unused();
  }
  ComfyRecipe take() { return std::move(result_); }

 private:
  void note(std::string text) {
    const auto known = std::ranges::find(result_.notes, text);
    if (known == result_.notes.end() && result_.notes.size() < kMaxNotes)
      result_.notes.push_back(std::move(text));
  }
  void use(const Node& node) { used_.insert(node.id); }
  static std::string called(const Node& node) {
    return fmt::format("node {} ({})", node.id.substr(0, 20), node.kind.substr(0, 60));
  }

  // Walks back along the first of these inputs that has a wire, until a sampler.
  const Node* sampler_behind(const Node& from, std::string_view first_input) {
    const Node* node = graph_.wired(from, first_input);
    for (int i = 0; node != nullptr && i < kMaxWalk; ++i) {
      use(*node);
      if (is_sampler(*node)) return node;
      const Node* next = nullptr;
      for (const std::string_view input :
           {"samples", "images", "image", "pixels", "latent", "latent_image"}) {
        if (next == nullptr) next = graph_.wired(*node, input);
      }
      node = next;
    }
    return nullptr;
  }

  const Node* first_pass(const Node& sampler) {
    const Node* latent = graph_.wired(sampler, "latent_image");
    if (latent == nullptr) return nullptr;
    const Node* first = is_sampler(*latent) ? latent : sampler_behind(*latent, "samples");
    if (first == nullptr || first == &sampler) return nullptr;
    // An upscale by a factor, or one that has to be guessed, is a second pass of ours too.
    const auto scale = graph_.number(*latent, "scale_by");
    if (!scale || *scale <= 0 || *scale > 16)
      note(fmt::format("{}: how much the second pass enlarges is not known", called(*latent)));
    result_.recipe.hires.scale = scale && *scale > 0 && *scale <= 16 ? *scale : 1;
    return first;
  }

  void read_second_pass(const Node& sampler) {
    use(sampler);
    Recipe::HiRes& hires = result_.recipe.hires;
    hires.steps = steps_of(sampler);
    hires.strength = std::clamp(graph_.number(sampler, "denoise").value_or(0.5), 0., 1.);
    if (const auto seed = seed_of(sampler)) note(fmt::format("the second pass had its own seed, {}", *seed));
  }

  int steps_of(const Node& node) {
    const auto steps = graph_.whole(node, "steps");
    if (steps && *steps <= kMaxSteps) return static_cast<int>(*steps);
    note(fmt::format("{}: the number of steps was not found", called(node)));
    return 0;
  }
  std::optional<uint64_t> seed_of(const Node& node) {
    const auto seed = graph_.whole(node, "seed");
    return seed ? seed : graph_.whole(node, "noise_seed");
  }

  void read_sampler(const Node& node) {
    use(node);
    Recipe& r = result_.recipe;
    if (node.kind.starts_with("SamplerCustom")) note(fmt::format("{}: read only in part", called(node)));
    r.steps = steps_of(node);
    const auto seed = seed_of(node);
    r.seed = seed.value_or(0);
    if (!seed) note(fmt::format("{}: the seed was not found", called(node)));
    r.cfg = graph_.number(node, "cfg");
    r.sampler = graph_.text(node, "sampler_name").value_or("");
    r.schedule = graph_.text(node, "scheduler").value_or("");
    const double denoise = graph_.number(node, "denoise").value_or(1);
    if (denoise > 0 && denoise < 1) r.strength = denoise;
    read_step_range(node);
  }

  void read_step_range(const Node& node) {
    const auto start = graph_.whole(node, "start_at_step");
    const auto end = graph_.whole(node, "end_at_step");
    Recipe& r = result_.recipe;
    if (start && *start < kMaxSteps) r.start_step = static_cast<int>(*start);
    if (end && r.steps > 0 && *end < static_cast<uint64_t>(r.steps)) r.end_step = static_cast<int>(*end);
  }

  void read_model(const Node& sampler) {
    const Node* node = graph_.wired(sampler, "model");
    for (int i = 0; node != nullptr && i < kMaxWalk; ++i) {
      use(*node);
      Recipe& r = result_.recipe;
      if (const auto checkpoint = graph_.text(*node, "ckpt_name")) {
        r.model.path = *checkpoint;
        break;
      }
      if (const auto unet = graph_.text(*node, "unet_name")) {
        r.model.path = *unet;
        note(
            fmt::format("{}: the network alone; text encoders and VAE came from other files", called(*node)));
        break;
      }
      if (const auto adapter = graph_.text(*node, "lora_name"); adapter && r.loras.size() < kMaxAdapters) {
        const double strength = graph_.number(*node, "strength_model").value_or(1);
        // Applied first to last, as the wires run: from the checkpoint on.
        r.loras.insert(r.loras.begin(),
                       {.file = {.path = *adapter, .sha256 = ""},
                        .unet_weight = strength,
                        .text_weight = graph_.number(*node, "strength_clip").value_or(strength)});
      } else {
        note(fmt::format("{}: a change of the model that is not taken over", called(*node)));
      }
      node = graph_.wired(*node, "model");
    }
    if (result_.recipe.model.path.empty()) note("the checkpoint was not found");
  }

  // The words behind a condition; nothing where there are none.
  std::optional<std::string> read_text(const Node& sampler, std::string_view input) {
    const Node* node = graph_.wired(sampler, input);
    for (int i = 0; node != nullptr && i < kMaxWalk; ++i) {
      use(*node);
      if (const auto text = graph_.text(*node, "text")) {
        read_clip(*node);
        return text;
      }
      if (const auto text = graph_.text(*node, "text_g")) {
        if (graph_.text(*node, "text_l").value_or(*text) != *text)
          note(fmt::format("{}: two prompts; the one of the larger text encoder was taken", called(*node)));
        read_clip(*node);
        return text;
      }
      if (node->kind == "ConditioningZeroOut" || node->kind == "FluxGuidance") {
        note(fmt::format("{}: a condition of zeros is read as its words", called(*node)));
      } else {
        note(fmt::format("{}: a change of the {} condition that is not taken over", called(*node), input));
      }
      const Node* next = nullptr;
      for (const std::string_view wire :
           {input, std::string_view("conditioning"), std::string_view("conditioning_1"),
            std::string_view("conditioning_to")}) {
        if (next == nullptr) next = graph_.wired(*node, wire);
      }
      node = next;
    }
    return std::nullopt;
  }

  // Clip skip stands between the checkpoint and the text encoder.
  void read_clip(const Node& encoder) {
    const Node* node = graph_.wired(encoder, "clip");
    for (int i = 0; node != nullptr && i < kMaxWalk; ++i) {
      use(*node);
      if (node->kind == "CLIPSetLastLayer") {
        const auto layer = graph_.number(*node, "stop_at_clip_layer");
        if (layer && *layer <= -1 && *layer >= -24) result_.recipe.clip_skip = static_cast<int>(-*layer);
      }
      node = graph_.wired(*node, "clip");
    }
  }

  void read_latent(const Node& sampler) {
    const Node* node = graph_.wired(sampler, "latent_image");
    for (int i = 0; node != nullptr && i < kMaxWalk; ++i) {
      use(*node);
      const auto width = graph_.whole(*node, "width");
      const auto height = graph_.whole(*node, "height");
      if (width && height && *width > 0 && *height > 0 && *width <= 65536 && *height <= 65536) {
        result_.recipe.width = static_cast<int>(*width);
        result_.recipe.height = static_cast<int>(*height);
        if (const auto batch = graph_.whole(*node, "batch_size"); batch && *batch > 1)
          note(fmt::format("one of a batch of {}: which one is not written down", *batch));
        return;
      }
      if (contains(node->kind, "VAEEncode") || contains(node->kind, "LoadImage")) {
        note("the picture was painted over another one, which it does not carry: name it with --init");
        const Node* picture = graph_.wired(*node, "pixels");
        if (picture != nullptr) use(*picture);
        return;
      }
      const Node* next = graph_.wired(*node, "samples");
      node = next != nullptr ? next : graph_.wired(*node, "latent");
    }
    note("the size was not found");
  }

  void note_unused() {
    for (const Node& node : graph_.nodes()) {
      const bool decodes = node.kind == "VAEDecode" || node.kind == "VAELoader" ||
                           node.kind == "VAEDecodeTiled" || node.kind == "CLIPLoader" ||
                           node.kind == "DualCLIPLoader";
      const bool holds_text = contains(node.kind, "Primitive") || contains(node.kind, "Note");
      if (used_.contains(node.id) || decodes || holds_text) continue;
      note(fmt::format("{}: not taken over", called(node)));
    }
    for (const Node& node : graph_.nodes()) {
      if (node.kind != "VAELoader") continue;
      if (const auto vae = graph_.text(node, "vae_name")) result_.recipe.vae.path = *vae;
    }
  }

  const ComfyGraph& graph_;
  ComfyRecipe result_;
  std::set<std::string> used_;
};

}  // namespace

Result<ComfyRecipe> parse_comfy_prompt(std::string_view json) {
  const Result<ComfyGraph> graph = ComfyGraph::parse(json);
  if (!graph) return graph.error();
  RecipeReader reader(*graph);
  const Node* sampler = reader.last_sampler();
  if (sampler == nullptr) {
    return Error(ErrorCode::bad_file, "cannot read the ComfyUI graph")
        .with("found",
              fmt::format("{} nodes, none of them a sampler that is known here", graph->nodes().size()));
  }
  reader.read(*sampler);
  return reader.take();
}

}  // namespace maquette::media
