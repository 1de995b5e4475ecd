#include "app/generate.h"

#include <algorithm>
#include <sys/resource.h>

#include "app/kernel_table.h"
#include "app/measures.h"
#include "app/models_folder.h"
#include "app/picture_record.h"
#include "base/file.h"
#include "base/log.h"
#include "diffusion/engine.h"
#include "kernels/choice.h"
#include "media/comfy_prompt.h"
#include "media/contact_sheet.h"
#include "media/image_io.h"
#include "weights/safetensors_writer.h"

namespace maquette::app {

uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

namespace {

// A folder gets SEED.png (never over an existing file); a file gets the seed in its name where there are
// several.
fs::path output_path(const GenerateRequest& request, uint64_t seed) {
  const fs::path& out = request.out;
  if (fs::is_directory(out) || out.extension().empty()) {
    std::error_code error;
    fs::create_directories(out, error);
    if (error) {
      throw Error(ErrorCode::failed, "cannot make the folder \"{}\"", out.string())
          .with("found", error.message());
    }
    fs::path path = out / fmt::format("{}.png", seed);
    for (int i = 2; fs::exists(path); ++i) path = out / fmt::format("{}_{}.png", seed, i);
    return path;
  }
  if (request.count == 1) return out;
  return out.parent_path() / fmt::format("{}_{}{}", out.stem().string(), seed, out.extension().string());
}

void write_preview(const fs::path& folder, uint64_t seed, int step, const Tensor& picture) {
  fs::create_directories(folder);
  media::write_image(folder / fmt::format("{}_{:03}.png", seed, step),
                     media::image8_from_signed_tensor(picture));
}

std::vector<std::string> profile_lines(const kernels::Profiler& profiler) {
  std::vector<std::string> lines;
  double total = 0;
  for (const auto& row : profiler.rows()) total += row.seconds;
  lines.push_back(
      fmt::format("{:>8} {:>6} {:>6} {:>9}  {}", "seconds", "%", "calls", "GFLOP/s", "operation"));
  for (const auto& row : profiler.rows()) {
    const std::string speed = row.flop > 0 ? fmt::format("{:.0f}", row.flop / row.seconds / 1e9) : "";
    lines.push_back(fmt::format("{:>8.3f} {:>6.1f} {:>6} {:>9}  {}", row.seconds, 100 * row.seconds / total,
                                row.calls, speed, row.operation));
  }
  return lines;
}

media::ContactPicture sheet_entry(const PictureReport& report, const Recipe& recipe,
                                  const media::Image8& image) {
  std::vector<std::string> notes{
      fmt::format("{} steps, cfg {:.6g}, {}", recipe.steps, recipe.cfg.value_or(0),
                  recipe.sampler.empty() ? "the model's sampler" : recipe.sampler)};
  notes.push_back(report.file.filename().string());
  return {.picture = image, .title = fmt::format("seed {}", report.seed), .notes = notes};
}

media::Image8 sheet_of(const std::vector<media::ContactPicture>& pictures, const Recipe& recipe) {
  return media::contact_sheet(
      pictures,
      {.title = recipe.prompt, .subtitle = std::filesystem::path(recipe.model.path).filename().string()});
}

// A replay with other kernels is the same picture, but its sums are rounded in another order.
void note_other_kernels(const GenerateRequest& request, std::vector<std::string>& notes) {
  const std::string now = kernels::choice_table().hash();
  if (!request.recorded_kernels || *request.recorded_kernels == now) return;
  const auto shown = [](const std::string& hash) { return hash.empty() ? "none" : hash; };
  notes.push_back(
      fmt::format("the recipe was made with other measured kernels ({}; here {}): bytes may differ",
                  shown(*request.recorded_kernels), shown(now)));
}

PictureReport write_picture(const GenerateRequest& request, const diffusion::Picture& picture,
                            const media::Image8& image) {
  PictureReport report{.file = output_path(request, picture.recipe.seed),
                       .seed = picture.recipe.seed,
                       .width = static_cast<int>(image.width()),
                       .height = static_cast<int>(image.height()),
                       .seconds = picture.seconds,
                       .recipe_hash = recipe_hash(picture.recipe),
                       .measures = picture.measures,
                       .notes = picture.notes};
  Measured measured = measure(picture);
  report.measures.insert(report.measures.end(), measured.measures.begin(), measured.measures.end());
  report.notes.insert(report.notes.end(), measured.notes.begin(), measured.notes.end());
  note_other_kernels(request, report.notes);
  media::WriteOptions options{
      .metadata = metadata_of(picture.recipe, {.sampler = picture.sampler, .schedule = picture.schedule})};
  const std::string extension = report.file.extension().string();
  if (request.bits == 16 || extension == ".exr") {
    options.bits = 16;
    media::write_image(report.file, picture.image, options);
  } else {
    media::write_image(report.file, image, options);
  }
  if (!request.latent_out.empty()) {
    weights::write_safetensors(request.latent_out, {{"latent", picture.latent}},
                               {{"maquette", record_of(picture.recipe).dump()}});
  }
  report.peak_memory = peak_memory();
  return report;
}

void check_seams(const GenerateRequest& request, const std::vector<PictureReport>& pictures) {
  if (request.seam_limit <= 0) return;
  for (const PictureReport& report : pictures) {
    for (const auto& [measure, value] : report.measures) {
      if (!measure.starts_with("seam") || value <= request.seam_limit) continue;
      throw Error(ErrorCode::limit_exceeded, "the texture \"{}\" has a seam", report.file.string())
          .with("found", fmt::format("{} {:.2f}", measure, value))
          .with("expected", fmt::format("at most {}", request.seam_limit))
          .hint("the picture was written; try another seed");
    }
  }
}

}  // namespace

Json to_json(const PictureReport& report) {
  Json seconds = Json::object();
  for (const auto& [phase, value] : report.seconds) seconds[phase] = value;
  Json measures = Json::object();
  for (const auto& [measure, value] : report.measures) measures[measure] = value;
  return {{"file", report.file.string()},      {"seed", report.seed},  {"width", report.width},
          {"height", report.height},           {"seconds", seconds},   {"peak_memory", report.peak_memory},
          {"recipe_hash", report.recipe_hash}, {"measures", measures}, {"notes", report.notes}};
}

GenerateResult generate(const GenerateRequest& request) {
  if (request.threads > 0) kernels::set_thread_count(request.threads);
  use_kernel_table();
  diffusion::Engine engine;
  kernels::Profiler profiler;
  if (request.profile) engine.set_profiler(&profiler);

  const Recipe wanted = with_models_found(request.recipe);
  GenerateResult result;
  std::vector<media::ContactPicture> sheet;
  for (int i = 0; i < request.count; ++i) {
    Recipe recipe = wanted;
    recipe.seed += static_cast<uint64_t>(i);
    diffusion::Callbacks callbacks{.progress = request.progress};
    callbacks.preview_decoder = request.preview_decoder;
    if (!request.preview_folder.empty()) {
      callbacks.preview = [&](int step, const Tensor& preview) {
        write_preview(request.preview_folder, recipe.seed, step, preview);
      };
    }
    const diffusion::Picture picture = engine.run(recipe, callbacks);
    const media::Image8& image = picture.image8;
    result.pictures.push_back(write_picture(request, picture, image));
    if (!request.sheet.empty()) {
      sheet.push_back(sheet_entry(result.pictures.back(), picture.recipe, image));
    }
    if (request.finished) request.finished(result.pictures.back());
  }
  if (!request.sheet.empty()) media::write_image(request.sheet, sheet_of(sheet, wanted));
  if (request.profile) result.profile = profile_lines(profiler);
  check_seams(request, result.pictures);
  return result;
}

Json read_json_file(const fs::path& file) {
  return parse_json(read_text_file(file).take(), file.string()).take();
}

namespace {
RecordedRecipe recorded_recipe(const Json& record) {
  return {.recipe = recipe_of_record(record).take(), .kernels = kernels_of_record(record)};
}
}  // namespace

// A graph of ComfyUI as a recipe; nothing where the picture carries none that can be read. Its files have
// names of another place, so they are left to the caller.
namespace {
std::optional<Recipe> recipe_of_comfy(const media::PictureMetadata& metadata) {
  for (const auto& [keyword, text] : metadata.other) {
    if (keyword != "prompt") continue;
    Result<media::ComfyRecipe> comfy = media::parse_comfy_prompt(text);
    if (!comfy) return std::nullopt;
    Recipe& recipe = comfy->recipe;
    for (const std::string& note : comfy->notes) log::info("{}", note);
    if (!recipe.model.empty()) log::info("made with the model \"{}\"", recipe.model.path);
    if (!recipe.vae.empty()) log::info("made with the VAE \"{}\": name it with --vae", recipe.vae.path);
    for (const Recipe::Adapter& lora : recipe.loras)
      log::info("made with the adapter \"{}\" at {:.6g}: name it with --lora", lora.file.path,
                lora.unet_weight);
    recipe.model = recipe.vae = {};
    recipe.loras.clear();
    return recipe;
  }
  return std::nullopt;
}
}  // namespace

RecordedRecipe read_recipe(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".json") {
    return recorded_recipe(read_json_file(file));
  }
  const media::PictureMetadata metadata = media::read_picture_metadata(file).take();
  if (!metadata.recipe_json && metadata.parameters) {
    std::vector<std::string> notes;
    const Recipe recipe =
        recipe_of_parameters(media::parse_a1111_parameters(*metadata.parameters).take(), notes);
    if (recipe.steps > 0) {
      for (const std::string& note : notes) log::info("{}", note);
      return {.recipe = recipe};
    }
  }
  if (!metadata.recipe_json && !metadata.parameters) {
    if (const std::optional<Recipe> recipe = recipe_of_comfy(metadata)) return {.recipe = *recipe};
  }
  if (!metadata.recipe_json) {
    throw Error(ErrorCode::bad_file, "\"{}\" carries no recipe", file.string())
        .with("found", metadata.parameters ? "text of another program, without settings" : "no text at all")
        .hint("maquette recipe \"{}\" shows what there is", file.string());
  }
  return recorded_recipe(parse_json(*metadata.recipe_json, file.string()).take());
}

}  // namespace maquette::app
