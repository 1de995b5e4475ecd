// Session: a model kept in memory, and pictures made with it that stay in memory. What the C++ library stands
// on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/recipe.h"

namespace maquette::app {

struct MadePicture {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;  // [height][width][channels], sRGB
  std::vector<float> values;    // the same before rounding
  Recipe recipe;                // with every default and hash filled in
  std::string parameters;       // A1111's text
  std::string record;           // record_of(recipe) as text
  std::vector<std::pair<std::string, double>> seconds;
  std::vector<std::pair<std::string, double>> measures;
  std::vector<std::string> notes;
  int known_evaluations = 0;  // of the network: answered from the journal
};

// rgb [height][width][3], there during the call.
struct PreviewPicture {
  int step = 0;
  int width = 0;
  int height = 0;
  std::span<const uint8_t> rgb;
};

// Pixels that a recipe names as "memory:NAME": [height][width][channels] of 8 bits, sRGB, 1, 3 or 4 channels.
struct GivenPicture {
  std::string name;
  int width = 0;
  int height = 0;
  int channels = 3;
  std::span<const uint8_t> pixels;
};

struct SessionCallbacks {
  ProgressCallback progress;  // returns false to cancel
  std::function<void(const PreviewPicture&)> preview;
  int preview_every = 1;  // steps
  // Where the network's answers are kept, so that the same run goes on after a kill; empty: nowhere.
  std::filesystem::path journal;
};

// For one thread at a time; several sessions may run at once.
class Session {
 public:
  // Loads the model of `recipe` (with its VAE, family and prediction). Throws Error.
  explicit Session(const Recipe& recipe);
  ~Session();

  // The pictures are needed during the call only. Throws Error.
  MadePicture run(const Recipe& recipe, const SessionCallbacks& callbacks,
                  std::span<const GivenPicture> pictures = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes pixels with their record, just as generate() does. bits: 8 or 16.
struct PictureToWrite {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::span<const uint8_t> pixels;
  std::span<const float> values;
  std::string parameters;
  std::string record;
};
void write_picture(const std::filesystem::path& file, const PictureToWrite& picture, int bits);

// Threads that computing uses from now on, in the whole process.
void set_threads(int threads);

}  // namespace maquette::app
