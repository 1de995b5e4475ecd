// The functions around a model: jobs into recipes, pictures into files, looking at files.
#include "api/guard.h"
#include "app/generate.h"
#include "app/inspect.h"
#include "app/picture_record.h"
#include "app/session.h"
#include "base/log.h"

namespace maquette::api {

namespace {

FileRef reference(const Source& source, const std::string& name) {
  return {source.image.pixels.empty() ? source.file.string() : "memory:" + name, ""};
}

Recipe recipe_of(const Job& job) {
  Recipe recipe;
  recipe.prompt = job.prompt;
  recipe.negative = job.negative;
  recipe.width = job.width;
  recipe.height = job.height;
  recipe.steps = job.steps;
  recipe.cfg = job.cfg;
  recipe.sampler = job.sampler;
  recipe.schedule = job.schedule;
  recipe.seed = job.seed;
  recipe.init = reference(job.init, "init");
  recipe.strength = job.strength;
  recipe.mask = reference(job.mask, "mask");
  for (size_t i = 0; i < job.controls.size(); ++i) {
    const Job::Control& control = job.controls[i];
    recipe.controls.push_back({.kind = control.kind,
                               .model = {control.model.string(), ""},
                               .image = reference(control.image, fmt::format("control{}", i)),
                               .weight = control.weight,
                               .start = control.start,
                               .end = control.end});
  }
  for (const Job::Lora& lora : job.loras) {
    recipe.loras.push_back(
        {.file = {lora.file.string(), ""}, .unet_weight = lora.weight, .text_weight = lora.weight});
  }
  recipe.tile_x = job.tile_x;
  recipe.tile_y = job.tile_y;
  recipe.upscale.path = job.upscale.string();
  if (!job.dialect.empty()) recipe.dialect = parse_dialect(job.dialect);
  if (!job.precision.empty()) recipe.precision = parse_precision(job.precision);
  return recipe;
}

// The program says on the terminal what it took over from a file; a library keeps quiet.
[[maybe_unused]] const bool kQuiet = [] {
  log::set_level(log::Level::error);
  return true;
}();

// Words of a command line need not be UTF-8; JSON text is.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string recipe_json(const Job& job) {
  return guarded([&] { return to_json(recipe_of(job)).dump(); });
}

void Picture::save(const std::filesystem::path& file, int bits) const {
  guarded([&] {
    app::write_picture(file,
                       {.width = width,
                        .height = height,
                        .channels = channels,
                        .pixels = pixels,
                        .values = values,
                        .parameters = parameters,
                        .record = record},
                       bits);
  });
}

std::string read_recipe(const std::filesystem::path& picture) {
  return guarded([&] { return to_json(app::read_recipe(picture).recipe).dump(); });
}

std::string inspect_model(const std::filesystem::path& file) {
  return guarded([&] { return text_of(app::inspect_model(file).json); });
}

std::string list_samplers() {
  return guarded([] { return text_of(app::list_samplers().json); });
}

void set_threads(int threads) {
  guarded([&] {
    if (threads < 1) {
      throw maquette::Error(ErrorCode::usage, "cannot compute with {} threads", threads)
          .with("expected", "at least 1");
    }
    app::set_threads(threads);
  });
}

std::string version() { return app::version(); }

}  // namespace maquette::api
