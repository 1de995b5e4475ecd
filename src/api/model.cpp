// A Model is a session of app/ behind a lock, and the translation of what goes in and out. The two things to
// get right here are which model a recipe means, and exceptions of callbacks, which must come out as they
// went in.
#include <atomic>
#include <mutex>
#include <thread>

#include "api/guard.h"
#include "app/models_folder.h"
#include "app/picture_record.h"
#include "app/session.h"

namespace maquette::api {

struct Model::State {
  Recipe base;  // the model, its VAE and the overrides; nothing else
  app::Session session;
  std::mutex mutex;
  std::atomic<std::thread::id> runner{};  // who holds the mutex

  explicit State(const Recipe& recipe) : base(recipe), session(recipe) {}

  Recipe complete(Recipe recipe) const;
  app::MadePicture run(const Recipe& recipe, const app::SessionCallbacks& callbacks,
                       const std::map<std::string, Image>& pictures);
};

// Whatever the recipe calls it, the model is this one: a recipe may come from a machine with other folders.
// Its hash, if it has one, is checked by the engine; without one the path has to lead to the same file.
Recipe Model::State::complete(Recipe recipe) const {
  if (!recipe.model.empty() && recipe.model.sha256.empty() && recipe.model.path != base.model.path) {
    std::error_code error;
    if (!std::filesystem::equivalent(recipe.model.path, base.model.path, error)) {
      throw maquette::Error(ErrorCode::usage, "the recipe is for another model")
          .with("found", recipe.model.path)
          .with("expected", base.model.path)
          .hint("leave the recipe's model out, or load the other one");
    }
  }
  recipe.model.path = base.model.path;
  if (recipe.vae.empty()) recipe.vae = base.vae;
  if (recipe.model_family.empty()) recipe.model_family = base.model_family;
  if (recipe.prediction.empty()) recipe.prediction = base.prediction;
  return recipe;
}

namespace {

// The callbacks of a run as the session takes them. The first exception of one is kept and the run cancelled,
// since it must not be mistaken for a failure of the engine on its way out.
class Watch {
 public:
  explicit Watch(const Callbacks& callbacks) : callbacks_(callbacks) {}

  app::SessionCallbacks callbacks() {
    app::SessionCallbacks result;
    if (callbacks_.progress || callbacks_.preview) {
      result.progress = [this](const ProgressReport& report) { return progress(report); };
    }
    if (callbacks_.preview) {
      result.preview = [this](const app::PreviewPicture& picture) {
        kept([&] {
          callbacks_.preview(
              {.step = picture.step, .width = picture.width, .height = picture.height, .rgb = picture.rgb});
        });
      };
    }
    return result;
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  bool progress(const ProgressReport& report) {
    bool go_on = true;
    if (callbacks_.progress && !failure_) {
      kept([&] {
        go_on = callbacks_.progress({.phase = report.phase,
                                     .step = report.done,
                                     .steps = report.total,
                                     .seconds_left = report.seconds_left});
      });
    }
    return go_on && !failure_;
  }
  template <typename Call>
  void kept(Call&& call) {
    try {
      call();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  const Callbacks& callbacks_;
  std::exception_ptr failure_;
};

class RunnerNamed {
 public:
  explicit RunnerNamed(std::atomic<std::thread::id>& runner) : runner_(runner) {
    runner_ = std::this_thread::get_id();
  }
  ~RunnerNamed() { runner_ = std::thread::id(); }
  RunnerNamed(const RunnerNamed&) = delete;
  RunnerNamed& operator=(const RunnerNamed&) = delete;

 private:
  std::atomic<std::thread::id>& runner_;
};

Picture picture_of(app::MadePicture made) {
  return {.width = made.width,
          .height = made.height,
          .channels = made.channels,
          .pixels = std::move(made.pixels),
          .values = std::move(made.values),
          .seed = made.recipe.seed,
          .recipe = to_json(made.recipe).dump(),
          .recipe_hash = recipe_hash(made.recipe),
          .parameters = std::move(made.parameters),
          .seconds = std::move(made.seconds),
          .measures = std::move(made.measures),
          .notes = std::move(made.notes),
          .record = std::move(made.record)};
}

Recipe parsed(std::string_view recipe) {
  return app::recipe_of_record(parse_json(recipe, "the recipe").take()).take();
}

}  // namespace

app::MadePicture Model::State::run(const Recipe& recipe, const app::SessionCallbacks& callbacks,
                                   const std::map<std::string, Image>& pictures) {
  if (runner == std::this_thread::get_id()) {
    throw maquette::Error(ErrorCode::usage, "a callback cannot run the model that it watches");
  }
  const std::lock_guard lock(mutex);
  const RunnerNamed named(runner);
  std::vector<app::GivenPicture> given;
  for (const auto& [name, image] : pictures) {
    given.push_back({.name = name,
                     .width = image.width,
                     .height = image.height,
                     .channels = image.channels,
                     .pixels = image.pixels});
  }
  return session.run(complete(recipe), callbacks, given);
}

Model::Model(const std::filesystem::path& file, const ModelOptions& options) {
  guarded([&] {
    Recipe recipe;
    recipe.model.path = app::find_model(file.string());
    recipe.vae.path = options.vae.string();
    recipe.model_family = options.family;
    recipe.prediction = options.prediction;
    state_ = std::make_unique<State>(recipe);
  });
}
Model::Model(Model&& other) noexcept = default;
Model& Model::operator=(Model&& other) noexcept = default;
Model::~Model() = default;

Picture Model::run(const Job& job, const Callbacks& callbacks) {
  std::map<std::string, Image> pictures;
  const auto hold = [&pictures](const Source& source, const std::string& name) {
    if (!source.image.pixels.empty()) pictures.emplace(name, source.image);
  };
  hold(job.init, "init");
  hold(job.mask, "mask");
  for (size_t i = 0; i < job.controls.size(); ++i) hold(job.controls[i].image, "control" + std::to_string(i));
  return run_recipe(recipe_json(job), callbacks, pictures);
}

Picture Model::run_recipe(std::string_view recipe, const Callbacks& callbacks,
                          const std::map<std::string, Image>& pictures) {
  Watch watch(callbacks);
  try {
    Picture picture = picture_of(state_->run(parsed(recipe), watch.callbacks(), pictures));
    watch.rethrow();
    return picture;
  } catch (...) {
    watch.rethrow();
    throw_public_error();
  }
}

}  // namespace maquette::api
