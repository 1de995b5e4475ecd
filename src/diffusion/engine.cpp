#include "diffusion/engine.h"

#include <algorithm>
#include <chrono>

#include "base/hash.h"
#include "base/log.h"
#include "diffusion/controls.h"
#include "diffusion/pass.h"
#include "diffusion/regions.h"
#include "diffusion/preview.h"
#include "kernels/cpu.h"
#include "media/image_io.h"
#include "models/upscaler/upscaler.h"

namespace maquette::diffusion {

namespace {

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Tells the caller how far the job is, guesses the time left from the steps so far, and throws where it says stop.
class ProgressTeller {
 public:
  explicit ProgressTeller(const ProgressCallback& callback) : callback_(callback) {}

  void tell(std::string_view phase, int done, int total) {
    if (phase != phase_) {
      phase_ = phase;
      begin_ = std::chrono::steady_clock::now();
    }
    double left = -1;
    if (done > 0 && total > 0) {
      const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
      left = spent / done * (total - done);
    }
    done_ = done;
    total_ = total;
    if (callback_ && !callback_({.phase = phase_, .done = done, .total = total, .seconds_left = left})) stop();
  }
  // Between the blocks of a network: no news, but a chance to stop.
  void check() {
    if (callback_ && !callback_({.phase = phase_, .done = done_, .total = total_})) stop();
  }

 private:
  [[noreturn]] void stop() const {
    throw Error(ErrorCode::cancelled, "stopped while {}", phase_).hint("finished pictures are kept");
  }

  const ProgressCallback& callback_;
  std::string phase_ = "starting";
  int done_ = 0;
  int total_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

struct Engine::State {
  kernels::Exec ex;
  std::string model_key;  // of the one model that is kept
  std::unique_ptr<Model> model;
  std::optional<LatentPreview> preview;
  ControlLibrary controls;
  std::string upscaler_path;
  std::optional<models::Upscaler> upscaler;
  std::map<std::string, std::string> hashes;  // by path, size and time

  Model& model_for(const Recipe& recipe);
  std::string hash_of(const std::string& path);
  void fill_hashes(Recipe& recipe);
};

Model& Engine::State::model_for(const Recipe& recipe) {
  if (recipe.model.empty()) {
    throw Error(ErrorCode::usage, "no model named").hint("--model FILE or DIR; models/starter comes with the program");
  }
  const std::string key =
      fmt::format("{}|{}|{}|{}", recipe.model.path, recipe.vae.path, recipe.model_family, recipe.prediction);
  if (key != model_key || !model) {
    model.reset();
    preview.reset();
    model = load_model(recipe.model.path, {.family = recipe.model_family,
                                           .prediction = recipe.prediction,
                                           .vae = recipe.vae.path});
    model_key = key;
  }
  return *model;
}

// Files are hashed once; a file that has changed since is hashed again. A folder's hash is that of the list of its
// files' names and hashes.
std::string Engine::State::hash_of(const std::string& path) {
  const auto stamp = [](const fs::path& file) {
    std::error_code error;
    return fmt::format("{}:{}", fs::file_size(file, error), fs::last_write_time(file, error).time_since_epoch().count());
  };
  if (!fs::is_directory(path)) {
    const std::string key = path + "|" + stamp(path);
    auto& hash = hashes[key];
    if (hash.empty()) hash = sha256_hex_of_file(path);
    return hash;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string extension = entry.path().extension().string();
    if (entry.is_regular_file() && (extension == ".safetensors" || extension == ".json" || extension == ".bin" ||
                                    extension == ".txt")) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  Sha256 sum;
  for (const fs::path& file : files) {
    sum.update(fs::relative(file, path).generic_string() + " " + hash_of(file.string()) + "\n");
  }
  return sum.hex();
}

// A recipe that names hashes is held to them.
void Engine::State::fill_hashes(Recipe& recipe) {
  const auto fill = [this](FileRef& file) {
    if (file.empty()) return;
    const std::string found = hash_of(file.path);
    if (!file.sha256.empty() && file.sha256 != found) {
      throw Error(ErrorCode::refused, "cannot repeat the recipe: \"{}\" is not the file that was used", file.path)
          .with("found", found)
          .with("expected", file.sha256);
    }
    file.sha256 = found;
  };
  fill(recipe.model);
  fill(recipe.vae);
  fill(recipe.init);
  fill(recipe.mask);
  for (Recipe::Control& control : recipe.controls) {
    fill(control.model);
    fill(control.image);
  }
  for (Recipe::Adapter& lora : recipe.loras) fill(lora.file);
  for (FileRef& embedding : recipe.embeddings) fill(embedding);
  for (Recipe::Region& region : recipe.regions) fill(region.mask);
  fill(recipe.image_encoder);
  fill(recipe.upscale);
}

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

void Engine::set_profiler(kernels::Profiler* profiler) { state_->ex.profiler = profiler; }

namespace {

ModelFacts facts_of(const Model& model) {
  return {.sdxl = model.family == Family::sdxl || model.family == Family::sdxl_refiner,
          .refiner = model.family == Family::sdxl_refiner,
          .latent_consistency = model.unet->guidance_width() > 0,
          .native_size = model.native_size};
}

// bf16 where the processor multiplies it faster than f32.
DType activations_for(Precision precision) {
  if (precision == Precision::automatic) return kernels::cpu().avx512_bf16 || kernels::cpu().amx_bf16 ? DType::bf16 : DType::f32;
  return precision == Precision::bf16 ? DType::bf16 : DType::f32;
}

// Samplers of second order call the network twice per step: A1111's prompt schedules count calls.
int prompt_calls(const Recipe& recipe, const sampling::SamplingPlan& plan) {
  return plan.model_calls() > plan.steps() ? 2 * recipe.steps : recipe.steps;
}

ConditioningSettings conditioning_of(const Model& model, const Recipe& recipe, int64_t height, int64_t width) {
  ConditioningSettings settings{.dialect = recipe.dialect,
                                .calls = recipe.steps,
                                .clip_skip = recipe.clip_skip,
                                .zero_empty_negative = model.zero_empty_negative,
                                .size_embedding_width = model.unet->size_embedding_width()};
  if (model.unet->added_width() == 0) return settings;
  const std::vector<double> own{static_cast<double>(height), static_cast<double>(width)};
  const auto two = [](const std::vector<double>& given, const std::vector<double>& otherwise) {
    if (!given.empty() && given.size() != 2) throw Error(ErrorCode::usage, "a size condition needs height and width");
    return given.empty() ? otherwise : given;
  };
  const auto append = [](std::vector<double>& list, const std::vector<double>& more) {
    list.insert(list.end(), more.begin(), more.end());
  };
  append(settings.sizes, two(recipe.original_size, own));
  append(settings.sizes, two(recipe.crop, {0, 0}));
  settings.negative_sizes = settings.sizes;
  if (model.aesthetic_score) {
    settings.sizes.push_back(recipe.aesthetic_score);
    settings.negative_sizes.push_back(recipe.negative_aesthetic_score);
  } else {
    append(settings.sizes, two(recipe.target_size, own));
    append(settings.negative_sizes, two(recipe.target_size, own));
  }
  return settings;
}

sampling::RandomKind random_kind(NoiseSourceKind kind) {
  return kind == NoiseSourceKind::philox ? sampling::RandomKind::philox : sampling::RandomKind::torch_cpu;
}

sampling::Dialect noise_dialect(Dialect dialect) {
  return dialect == Dialect::a1111   ? sampling::Dialect::a1111
         : dialect == Dialect::comfy ? sampling::Dialect::comfy
                                     : sampling::Dialect::diffusers;
}

// Everything that one run needs at hand.
struct Run {
  Engine::State& state;
  Model& model;
  Picture& picture;
  const Callbacks& callbacks;
  ProgressTeller& progress;
  Stopwatch& watch;

  void took(std::string phase) { picture.seconds.emplace_back(std::move(phase), watch.lap()); }
};

void show_preview(Run& run, int step, const Tensor& denoised) {
  const Codec& codec = *run.model.codec;
  if (!run.callbacks.preview || !codec.vae()) return;
  if (!run.state.preview) run.state.preview = LatentPreview::fit(run.state.ex, *codec.vae());
  run.callbacks.preview(step, (*run.state.preview)(codec.unscaled(denoised)));
}

// What belongs to the words: conditions and the regions' say.
struct Words {
  PromptPlan plan;
  std::map<int64_t, Tensor> score_bias;
};

// Takes picture prompts out of the network again, whatever happens.
struct ControlsRemoved {
  Model& model;
  ~ControlsRemoved() { remove_controls(model); }
};

Tensor sample(Run& run, const PictureInput& input, sampling::SamplingPlan& sampling, Words words,
              sampling::NoiseSource& noise) {
  kernels::Exec& ex = run.state.ex;
  const Recipe& recipe = run.picture.recipe;
  const LatentInput latents = make_latent_input(
      ex, input, noise,
      {.model = run.model, .recipe = recipe, .tiles = TileOptions(), .from_noise = starts_from_noise(recipe)});
  if (input.has_init() || input.has_mask()) run.took("encode picture");

  const ControlsRemoved removed{run.model};
  const PreparedControls controls =
      prepare_controls(ex, run.model, recipe, {.height = input.height, .width = input.width, .steps = sampling.steps()},
                       run.state.controls, words.plan);
  if (!recipe.controls.empty()) run.took("read controls");

  run.progress.tell("sampling", 0, 0);
  PassRequest request{.model = run.model,
                      .recipe = recipe,
                      .input = latents,
                      .sampling = sampling,
                      .plan = words.plan,
                      .control = controls.residuals,
                      .score_bias = words.score_bias,
                      .adapter_states = controls.adapter_states,
                      .adapter_range = controls.adapter_range};
  request.step_done = [&run](int done, int total, const Tensor& denoised) {
    run.progress.tell("sampling", done, total);
    show_preview(run, done, denoised);
  };
  const Tensor latent = run_pass(ex, request, noise);
  run.took("sample");
  return latent;
}

void upscale(Run& run) {
  const FileRef& file = run.picture.recipe.upscale;
  if (file.empty()) return;
  Engine::State& state = run.state;
  if (!state.upscaler || state.upscaler_path != file.path) {
    state.upscaler = models::Upscaler::load(file.path);
    state.upscaler_path = file.path;
  }
  Tensor unit = run.picture.pixels.clone();
  for (float& v : unit.data()) v = std::clamp(v / 2 + 0.5f, 0.0f, 1.0f);
  Tensor large = models::upscale_tiled(
      state.ex, *state.upscaler, unit, {.progress = [&run](const ProgressReport& report) {
        run.progress.tell("upscaling", report.done, report.total);
        return true;
      }});
  large = large.clone();
  for (float& v : large.data()) v = v * 2 - 1;
  run.picture.pixels = large;
  run.took("upscale");
}

}  // namespace

Picture Engine::run(const Recipe& asked, const Callbacks& callbacks) {
  State& state = *state_;
  Picture picture;
  Stopwatch watch;
  ProgressTeller progress(callbacks.progress);
  progress.tell("loading", 0, 0);
  Model& model = state.model_for(asked);
  picture.recipe = with_defaults(asked, facts_of(model));
  state.fill_hashes(picture.recipe);
  Run run{state, model, picture, callbacks, progress, watch};
  run.took("load");

  const Recipe& recipe = picture.recipe;
  state.ex.activations = activations_for(recipe.precision);
  state.ex.wrap = {.x = recipe.tile_x, .y = recipe.tile_y};
  state.ex.check_cancelled = [&progress] { progress.check(); };
  const PictureInput input = read_picture_input(recipe, model);
  picture.recipe.width = static_cast<int>(input.width);
  picture.recipe.height = static_cast<int>(input.height);
  // Beyond this point the recipe is fixed.

  const auto plan = sampling::plan_sampling(sampling_request(model, recipe, !starts_from_noise(recipe)));
  progress.tell("reading the prompt", 0, 0);
  ConditioningSettings conditioning = conditioning_of(model, recipe, input.height, input.width);
  conditioning.calls = prompt_calls(recipe, *plan);
  EncodedPrompts prompts = encode_prompts(state.ex, model.text, recipe, conditioning);
  picture.notes = prompts.warnings;
  const int factor = model.codec->factor();
  Words words{.plan = std::move(prompts.plan), .score_bias = {}};
  words.score_bias = add_regions(state.ex, model.text, recipe, conditioning,
                                 {.height = input.height / factor, .width = input.width / factor}, words.plan);
  run.took("encode prompt");

  sampling::NoiseSource noise(
      sampling::noise_settings(noise_dialect(recipe.dialect), random_kind(recipe.rng), recipe.seed, 1));
  picture.latent = sample(run, input, *plan, std::move(words), noise);

  progress.tell("decoding", 0, 0);
  picture.pixels = model.codec->decode(state.ex, picture.latent, {});
  run.took("decode");

  if (input.has_mask() && recipe.inpaint.composite) {
    picture.original = input.init;
    picture.mask = input.mask;
  }
  upscale(run);
  state.ex.check_cancelled = nullptr;
  return picture;
}

}  // namespace maquette::diffusion
