// Making pictures: from a recipe to files on disk, the way the command line and the server do it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/recipe.h"

namespace maquette::app {

struct PictureReport {
  std::filesystem::path file;
  uint64_t seed = 0;
  int width = 0;
  int height = 0;
  std::vector<std::pair<std::string, double>> seconds;  // per phase, in order
  uint64_t peak_memory = 0;                             // bytes, of the whole process so far
  std::string recipe_hash;
  std::vector<std::pair<std::string, double>> measures;  // seam_x, seam_y, drift...
  std::vector<std::string> notes;                        // for people: what was decided or measured
};
Json to_json(const PictureReport& report);

struct GenerateRequest {
  Recipe recipe;
  std::optional<std::string> recorded_kernels;  // of a recipe that is replayed (RecordedRecipe)
  int count = 1;                                // picture i has seed + i
  std::filesystem::path out = ".";              // a file (numbered when there are several), or a folder
  std::filesystem::path latent_out;             // empty: not written
  std::filesystem::path sheet;
  std::filesystem::path preview_folder;
  std::string preview_decoder;  // a TAESD file; empty: latents mapped to colours
  int bits = 8;
  double seam_limit = 0;  // 0: none; textures above it fail with limit_exceeded, after being written
  int threads = 0;        // 0: as the system says
  bool profile = false;
  ProgressCallback progress;
  std::function<void(const PictureReport&)> finished;  // after each picture is on disk
};

struct GenerateResult {
  std::vector<PictureReport> pictures;
  std::vector<std::string> profile;  // lines of a table
};

uint64_t peak_memory();  // bytes, of the whole process so far

// Throws Error; pictures finished before it stay on disk.
GenerateResult generate(const GenerateRequest& request);

// From a recipe's JSON file, or from a picture that carries one.
struct RecordedRecipe {
  Recipe recipe;
  std::optional<std::string> kernels;  // hash of the table of kernels it was made with; absent where not told
};
RecordedRecipe read_recipe(const std::filesystem::path& file);
Json read_json_file(const std::filesystem::path& file);

}  // namespace maquette::app
