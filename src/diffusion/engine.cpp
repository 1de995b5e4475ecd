#include "diffusion/engine.h"

#include <algorithm>
#include <mutex>

#include "diffusion/adapters.h"
#include "diffusion/controls.h"
#include "diffusion/feature_cache.h"
#include "diffusion/file_hashes.h"
#include "diffusion/hires.h"
#include "diffusion/lora_tags.h"
#include "diffusion/memory.h"
#include "diffusion/pass.h"
#include "diffusion/previews.h"
#include "diffusion/prompts.h"
#include "diffusion/run_progress.h"
#include "kernels/choice.h"
#include "models/upscaler/upscaler.h"

namespace maquette::diffusion {

struct Engine::State {
  std::mutex running;  // held by the one job that the engine works on
  kernels::Exec ex;
  std::string model_key;  // of the one model that is kept
  std::string packed;     // model and type whose weights are packed: they take no more memory
  std::unique_ptr<Model> model;
  Previews previews;
  ControlLibrary controls;
  AdapterCache adapters;
  std::string upscaler_path;
  std::optional<models::Upscaler> upscaler;
  FileHashes hashes;
  PromptCache prompts;

  Model& model_for(const Recipe& recipe);
};

Model& Engine::State::model_for(const Recipe& recipe) {
  if (recipe.model.empty()) {
    throw Error(ErrorCode::usage, "no model named")
        .hint("--model FILE or DIR; \"starter\" comes with the program");
  }
  const std::string key =
      fmt::format("{}|{}|{}|{}", recipe.model.path, recipe.vae.path, recipe.model_family, recipe.prediction);
  if (key != model_key || !model) {
    model.reset();
    previews.forget_model();
    model =
        load_model(recipe.model.path,
                   {.family = recipe.model_family, .prediction = recipe.prediction, .vae = recipe.vae.path});
    model_key = key;
  }
  return *model;
}

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

void Engine::load(const Recipe& recipe) { state_->model_for(recipe); }

void Engine::set_profiler(kernels::Profiler* profiler) { state_->ex.profiler = profiler; }
void Engine::set_tuner(kernels::Tuner* tuner) { state_->ex.tuner = tuner; }

namespace {

ModelFacts facts_of(const Model& model) {
  return {.sdxl = model.family == Family::sdxl || model.family == Family::sdxl_refiner,
          .refiner = model.family == Family::sdxl_refiner,
          .latent_consistency = model.unet->guidance_width() > 0,
          .editing = model.editing() && !model.inpainting(),
          .native_height = model.native_height,
          .native_width = model.native_width};
}

DType activations_for(Precision precision) {
  if (precision == Precision::automatic) return kernels::fastest_type();
  return precision == Precision::bf16 ? DType::bf16 : DType::f32;
}

// Samplers of second order call the network twice per step: A1111's prompt schedules count calls.
int prompt_calls(const Recipe& recipe, const sampling::SamplingPlan& plan) {
  return plan.model_calls() > plan.steps() ? 2 * recipe.steps : recipe.steps;
}

ConditioningSettings conditioning_of(const Model& model, const Recipe& recipe, int64_t height,
                                     int64_t width) {
  ConditioningSettings settings{.dialect = recipe.dialect,
                                .calls = recipe.steps,
                                .clip_skip = recipe.clip_skip,
                                .zero_empty_negative = model.zero_empty_negative,
                                .size_waves = model.size_waves};
  if (model.unet->added_width() == 0) return settings;
  const std::vector<double> own{static_cast<double>(height), static_cast<double>(width)};
  const auto two = [](const std::vector<double>& given, const std::vector<double>& otherwise) {
    if (!given.empty() && given.size() != 2)
      throw Error(ErrorCode::usage, "a size condition needs height and width");
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

// What only SDXL or its refiner is told, and this model is not.
std::vector<std::string> unheard_conditions(const Model& model, const Recipe& recipe) {
  std::vector<std::string> notes;
  const bool sizes = !recipe.original_size.empty() || !recipe.crop.empty() || !recipe.target_size.empty();
  if (sizes && model.unet->added_width() == 0)
    notes.push_back("this model is not told sizes: original size, crop and target size change nothing");
  else if (!recipe.target_size.empty() && model.aesthetic_score)
    notes.push_back("a refiner is not told the target size: it changes nothing");
  const Recipe usual;
  const bool scores = recipe.aesthetic_score != usual.aesthetic_score ||
                      recipe.negative_aesthetic_score != usual.negative_aesthetic_score;
  if (scores && !model.aesthetic_score)
    notes.push_back("this model is not told aesthetic scores: they change nothing (SDXL's refiner is)");
  return notes;
}

sampling::RandomKind random_kind(NoiseSourceKind kind) {
  return kind == NoiseSourceKind::philox ? sampling::RandomKind::philox : sampling::RandomKind::torch_cpu;
}

// Everything that one run needs at hand.
struct Run {
  Engine::State& state;
  Model& model;
  Picture& picture;
  const Callbacks& callbacks;
  const Pictures& pictures;
  ProgressTeller& progress;
  Stopwatch& watch;
  TileOptions tiles;
  std::optional<int> first_pass_calls;  // once there was one: prompt schedules of the second count on
  std::optional<StepJournal> journal;

  // Phases of two passes add up.
  void took(const std::string& phase) {
    const auto same = [&phase](const auto& entry) { return entry.first == phase; };
    const auto found = std::ranges::find_if(picture.seconds, same);
    if (found == picture.seconds.end())
      picture.seconds.emplace_back(phase, watch.lap());
    else
      found->second += watch.lap();
  }
  void note(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      if (std::ranges::find(picture.notes, line) == picture.notes.end()) picture.notes.push_back(line);
    }
  }
  void check_memory(int64_t height, int64_t width);
  void open_journal();
  void close_journal();
};

void Run::open_journal() {
  if (callbacks.journal.empty()) return;
  journal.emplace(JournalSettings{.file = callbacks.journal,
                                  .key = journal_key(picture.recipe, state.ex.activations),
                                  .leaning = picture.recipe.feature_cache.every > 1});
}

void Run::close_journal() {
  if (!journal) return;
  note(journal->notes());
  picture.known_evaluations = journal->answered();
  journal.reset();
}

// Refuses what cannot be sampled in the memory there is, and decodes in tiles what cannot be decoded at once.
void Run::check_memory(int64_t height, int64_t width) {
  const DType type = state.ex.activations;
  uint64_t available = available_memory() + state.ex.pool.bytes_held();
  const int64_t side = picture.recipe.tile_size;
  MemoryEstimate estimate = side > 0
                                ? estimate_memory(model, std::min(height, side), std::min(width, side), type)
                                : estimate_memory(model, height, width, type);
  estimate.sampling += cached_bytes(picture.recipe, model, height, width, type);
  const std::string key = fmt::format("{}|{}", state.model_key, name(type));
  const uint64_t weights = state.packed == key ? 0 : packed_weights(model, type);
  constexpr double kMiB = 1024.0 * 1024.0;
  if (weights + estimate.sampling > available) {
    throw Error(ErrorCode::no_memory, "a picture of {}x{} would not fit in memory", width, height)
        .with("found", fmt::format("about {:.0f} MiB free", static_cast<double>(available) / kMiB))
        .with("expected", fmt::format("about {:.0f} MiB, of them {:.0f} for the weights",
                                      static_cast<double>(weights + estimate.sampling) / kMiB,
                                      static_cast<double>(weights) / kMiB))
        .hint("try a smaller size, or --tile-size {}", std::max(model.native_height, model.native_width));
  }
  state.packed = key;
  available -= weights;
  const int64_t tile = decoding_tile(model, height, width, type, available);
  if (tile > 0) {
    tiles = TileOptions{.tile = tile, .overlap = std::max<int64_t>(tile / 4, 4)};
    note({fmt::format("decoded in tiles of {} pixels to stay within memory", tile * model.codec->factor())});
  } else {
    tiles = TileOptions{.tile = std::max(height, width), .overlap = 1};
  }
}

void show_preview(Run& run, int step, const Tensor& denoised) {
  const Callbacks& callbacks = run.callbacks;
  if (!callbacks.preview || step % std::max(callbacks.preview_every, 1) != 0) return;
  callbacks.preview(
      step, run.state.previews.make(
                run.state.ex, denoised,
                {.codec = *run.model.codec, .decoder = callbacks.preview_decoder, .tiles = run.tiles}));
}

// Takes picture prompts out of the network again, whatever happens.
struct ControlsRemoved {
  Model& model;
  ~ControlsRemoved() { remove_controls(model); }
};

// One pass over `input`: words, regions, latents, controls, sampling. `recipe` is the pass's own: the second
// pass of a hi-res picture has other steps and strength.
Tensor sample(Run& run, const PictureInput& input, const Recipe& recipe, sampling::NoiseSource& noise) {
  kernels::Exec& ex = run.state.ex;
  Model& model = run.model;
  const auto plan = sampling::plan_sampling(sampling_request(model, recipe, !starts_from_noise(recipe)));
  run.note(sampling_notes(model, *plan));
  if (!run.first_pass_calls) {
    run.picture.sampler = plan->sampler();
    run.picture.schedule = plan->schedule();
  }
  run.progress.tell("reading the prompt", 0, 0);
  ConditioningSettings conditioning = conditioning_of(model, recipe, input.height, input.width);
  conditioning.calls = prompt_calls(recipe, *plan);
  conditioning.first_pass_calls = run.first_pass_calls;
  if (!run.first_pass_calls) run.first_pass_calls = conditioning.calls;  // for a second one
  ReadPrompts prompts = run.state.prompts.read(ex,
                                               {.model = model,
                                                .model_key = run.state.model_key,
                                                .recipe = recipe,
                                                .settings = conditioning,
                                                .pictures = run.pictures},
                                               input);
  run.note(prompts.warnings);
  run.took("encode prompt");

  const LatentInput latents = make_latent_input(
      ex, input, noise,
      {.model = model, .recipe = recipe, .tiles = run.tiles, .from_noise = starts_from_noise(recipe)});
  if (input.has_init()) run.took("encode picture");

  const ControlsRemoved removed{model};
  const PreparedControls controls = prepare_controls(ex, model, recipe,
                                                     {.height = input.height,
                                                      .width = input.width,
                                                      .timesteps = plan->timesteps(),
                                                      .pictures = run.pictures},
                                                     run.state.controls, prompts.plan);
  if (!recipe.controls.empty()) run.took("read controls");

  run.progress.tell("sampling", 0, 0);
  PassRequest request{.model = model,
                      .recipe = recipe,
                      .input = latents,
                      .sampling = *plan,
                      .plan = std::move(prompts.plan),
                      .control = controls.residuals,
                      .score_bias = prompts.score_bias,
                      .adapters = controls.adapters};
  if (run.journal) request.journal = &*run.journal;
  request.prompt_pull = run.callbacks.prompt_pull;
  int known = 0;  // steps
  request.step_done = [&run, &known](int done, int total, const Tensor& denoised) {
    const bool replaying = run.journal && run.journal->replaying();
    if (replaying) known = done;
    run.progress.tell("sampling", done, total, known);
    if (!replaying) show_preview(run, done, denoised);
  };
  const Tensor latent = run_pass(ex, request, noise);
  run.took("sample");
  return latent;
}

Tensor decode(Run& run, const Tensor& latent) {
  run.progress.tell("decoding", 0, 0);
  const Tensor pixels = run.model.codec->decode(run.state.ex, latent, run.tiles);
  run.took("decode");
  return pixels;
}

sampling::NoiseSource noise_of(const Recipe& recipe) {
  return sampling::NoiseSource(
      sampling::noise_settings(recipe.dialect, random_kind(recipe.rng), recipe.seed, 1));
}

Tensor hires_pass(Run& run, const PictureInput& first, const Tensor& pixels) {
  const Recipe& recipe = run.picture.recipe;
  if (first.has_mask()) {
    throw Error(ErrorCode::usage, "cannot combine a mask with a hi-res pass")
        .hint("repaint first, then run the result with --init and --hires");
  }
  const PictureInput second = enlarged(first, pixels, recipe, run.model.codec->factor());
  run.check_memory(second.height, second.width);
  Recipe pass = recipe;
  pass.init.path = "first pass";
  pass.strength = recipe.hires.strength;
  if (recipe.hires.steps > 0) pass.steps = recipe.hires.steps;
  pass.start_step = pass.end_step = 0;
  sampling::NoiseSource noise = noise_of(recipe);
  run.picture.latent = sample(run, second, pass, noise);
  return decode(run, run.picture.latent);
}

void upscale(Run& run) {
  Picture& picture = run.picture;
  const FileRef& file = picture.recipe.upscale;
  if (file.empty()) return;
  Engine::State& state = run.state;
  if (!state.upscaler || state.upscaler_path != file.path) {
    state.upscaler = models::Upscaler::load(file.path);
    state.upscaler_path = file.path;
  }
  const Tensor large = models::upscale_tiled(state.ex, *state.upscaler, media::to_unit_tensor(picture.image),
                                             {.progress = [&run](const ProgressReport& report) {
                                               run.progress.tell("upscaling", report.done, report.total);
                                               return true;
                                             }});
  picture.image = media::image_from_unit_tensor(large);
  picture.image8 = media::to_8bit(picture.image);
  picture.original = picture.mask = {};
  run.took("upscale");
}

// Clears what the run hung on the shared execution state.
struct ExecRestored {
  kernels::Exec& ex;
  ~ExecRestored() {
    ex.check_cancelled = nullptr;
    ex.wrap = {};
  }
};

}  // namespace

Picture Engine::run(const Recipe& asked, const Callbacks& callbacks, const HeldPictures& held) {
  State& state = *state_;
  const std::lock_guard lock(state.running);
  const Pictures pictures(held);
  pictures.require_all_used(asked);
  Picture picture;
  Stopwatch watch;
  ProgressTeller progress(callbacks.progress);
  progress.tell("loading", 0, 0);
  Model& model = state.model_for(asked);
  picture.recipe = with_defaults(asked, facts_of(model));
  check_feature_cache(picture.recipe.feature_cache, *model.unet);
  Run run{state, model, picture, callbacks, pictures, progress, watch, TileOptions()};
  run.note(resolve_lora_tags(picture.recipe));
  run.note(unheard_conditions(model, picture.recipe));
  state.hashes.fill(picture.recipe, pictures);
  const Recipe& recipe = picture.recipe;
  const ExecRestored restored{state.ex};
  state.ex.activations = activations_for(recipe.precision);
  state.ex.wrap = {.x = recipe.tile_x, .y = recipe.tile_y};
  state.ex.check_cancelled = [&progress] { progress.check(); };
  run.note(apply_adapters(model, recipe, state.ex.activations, state.adapters));
  run.took("load");

  const PictureInput input = read_picture_input(recipe, model, pictures);
  picture.recipe.width = static_cast<int>(input.width);
  picture.recipe.height = static_cast<int>(input.height);
  run.check_memory(input.height, input.width);
  // Beyond this point the recipe is fixed.
  run.open_journal();

  sampling::NoiseSource noise = noise_of(recipe);
  picture.latent = sample(run, input, recipe, noise);
  Tensor pixels = decode(run, picture.latent);
  if (recipe.hires.scale > 0) pixels = hires_pass(run, input, pixels);
  run.close_journal();
  FinishedPicture finished = put_back(input, recipe, pixels);
  picture.image8 = finished.image8;
  picture.image = finished.image;
  if (input.has_mask() && recipe.inpaint.composite) {
    picture.original = input.whole;
    picture.mask = input.whole_mask;
  }
  upscale(run);
  return picture;
}

}  // namespace maquette::diffusion
