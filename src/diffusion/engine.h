// Engine: runs recipes. Keeps what it loaded (models, ControlNets, upscalers) for the next recipe.
//
//   recipe -> model -> prompts -> first latent -> sampling -> picture -> hi-res pass -> upscaling -> measures
//
// One engine runs one recipe at a time: called from a second thread, it waits for the first job to end.
// Several engines may run at once, in threads of their own. Either way pictures are those of one job after
// the other.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/recipe.h"
#include "diffusion/pictures.h"
#include "kernels/exec.h"
#include "media/image.h"

namespace maquette::diffusion {

struct Callbacks {
  ProgressCallback progress;  // returns false to cancel, within one step
  // A rough picture of the unfinished latent after each step, [1, 3, h, w] in [-1, 1], at latent size.
  std::function<void(int step, const Tensor& picture)> preview;
  std::string preview_decoder;  // a TAESD file: previews decoded by it, at the picture's size
  int preview_every = 1;        // steps
  // Where the network's answers are kept, so that the same run goes on after a kill (step_journal.h); empty:
  // nowhere. The file stays when the picture is done.
  std::filesystem::path journal;
  // How hard the prompt draws, at each call of the network that a negative guides (guidance.h).
  std::function<void(double pull)> prompt_pull = {};
};

struct Picture {
  media::Image8 image8;  // the finished picture
  media::Image image;    // the same before rounding, for 16-bit and EXR files
  Tensor latent;         // [1, C, h, w] f32 as it was sampled, of the last pass
  Recipe recipe;         // with every default and hash filled in
  std::string sampler;   // as it was run, of the first pass: "dpm++2m"
  std::string schedule;  // "karras"; "configured" where the model's configuration decided
  std::vector<std::pair<std::string, double>> seconds;   // per phase, in order
  std::vector<std::pair<std::string, double>> measures;  // seam_x, seam_y, drift_inside, ...
  std::vector<std::string> notes;                        // decisions and warnings, for people
  int known_evaluations = 0;                             // of the network: answered from the journal
  // Where a mask said what to repaint (and nothing was enlarged afterwards): the original and the mask, for
  // measuring.
  media::Image original;
  media::Image mask;
};

class Engine {
 public:
  Engine();
  ~Engine();

  // Loads the recipe's model now, so that the next run finds it. Throws Error.
  void load(const Recipe& recipe);

  // One picture of recipe.seed. Throws Error; the engine stays usable.
  Picture run(const Recipe& recipe, const Callbacks& callbacks = {}, const HeldPictures& held = {});

  void set_profiler(kernels::Profiler* profiler);
  void set_tuner(kernels::Tuner* tuner);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

// The recipe with the dialect's and the model family's defaults written out (steps, guidance, size,
// strength).
struct ModelFacts {
  bool sdxl = false;
  bool refiner = false;
  bool latent_consistency = false;  // the network takes the guidance as an input
  bool editing = false;             // the network takes the init picture as an input
  int64_t native_height = 512;
  int64_t native_width = 512;
};
Recipe with_defaults(const Recipe& recipe, const ModelFacts& facts);

}  // namespace maquette::diffusion
