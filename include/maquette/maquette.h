// The C++ library: load a model once, make pictures with it, watch, stop, keep the record. docs/library.md is
// the guide; examples/background is a whole program.
//
// C++20, standard library only. Everything lives in maquette::api; what fails throws maquette::api::Error,
// and nothing else but what your own callbacks throw. The library prints nothing and catches no signals.
//
// Threads. Different Models are independent: run them in threads of their own. One Model may be shared by
// threads: it makes one picture at a time, and a second caller waits until the first is served. Either way
// each picture has the bytes that it has alone. Functions outside the classes may be called from any thread.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maquette::api {

// What every failure says: what could not be done, where, what was found, what was expected, and a hint.
class Error final : public std::exception {
 public:
  struct Field {
    std::string name;  // "tensor", "field", ...: where it was; "found"; "expected"
    std::string value;
  };
  struct Details {
    std::string what;  // one line, without a full stop
    std::vector<Field> fields;
    std::string hint;     // what to try; may be empty
    std::string code;     // "usage", "not-found", ...: docs/exit-codes.md lists them
    int exit_code = 1;    // what the program `maquette` would end with
    std::string message;  // all of it as people read it, several lines
  };

  explicit Error(Details details);
  ~Error() override;

  const char* what() const noexcept override { return details_->what.c_str(); }
  const std::string& code() const noexcept { return details_->code; }
  int exit_code() const noexcept { return details_->exit_code; }
  const std::vector<Field>& fields() const noexcept { return details_->fields; }
  std::string where() const;                   // "tensor conv_in.weight"; empty where it is not known
  std::string_view found() const noexcept;     // empty where it is not known
  std::string_view expected() const noexcept;  // likewise
  const std::string& hint() const noexcept { return details_->hint; }
  const std::string& message() const noexcept { return details_->message; }

 private:
  std::shared_ptr<const Details> details_;  // copies of an exception must not throw
};

struct Progress {
  std::string_view phase;    // "loading", "reading the prompt", "sampling", "decoding", "upscaling"
  int step = 0;              // steps done of this phase
  int steps = 0;             // steps of this phase; 0 where unknown
  double seconds_left = -1;  // of this phase; below 0 where there is no estimate yet
};

// A rough picture of the unfinished one, at the size of the latent. The pixels are there during the call
// only.
struct Preview {
  int step = 0;
  int width = 0;
  int height = 0;
  std::span<const uint8_t> rgb;  // [height][width][3]
};

// Called by the thread that called run(), between steps and between the blocks of a network. What they throw
// comes out of run() unchanged. They must not call the Model that they watch.
struct Callbacks {
  std::function<bool(const Progress&)>
      progress;                                 // false: stop; run() throws Error "cancelled" within one step
  std::function<void(const Preview&)> preview;  // after each step
};

// Pixels in memory: [height][width][channels], sRGB, rows from the top; 1 (grey), 3 (RGB) or 4 channels.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<uint8_t> pixels;
};

// A picture to work from: a file, or one in memory.
struct Source {
  std::filesystem::path file;
  Image image;  // counts where it has pixels

  Source() = default;
  Source(std::filesystem::path file_) : file(std::move(file_)) {}
  Source(std::string file_) : file(std::move(file_)) {}
  Source(const char* file_) : file(file_) {}
  Source(Image image_) : image(std::move(image_)) {}
};

// The commonest settings of a picture. What is left out has the default of the dialect (docs/dialects.md).
// Everything else is said in a recipe document: recipe_json(job) is a start to add to.
struct Job {
  std::string prompt;
  std::optional<std::string> negative = {};
  int width = 0;  // pixels; 0: the model's own size
  int height = 0;
  int steps = 0;
  std::optional<double> cfg = {};
  uint64_t seed = 0;
  std::string sampler = {};   // a name of `maquette samplers`; empty: the model's own
  std::string schedule = {};  // likewise
  Source init = {};           // a picture to start from
  std::optional<double> strength = {};
  Source mask = {};  // white is painted anew
  struct Control {
    std::filesystem::path model;  // ControlNet, T2I-Adapter
    Source image;
    std::string kind = "none";  // "canny", "lineart", ...: made from the picture; "none": used as it is
    double weight = 1;
    double start = 0;  // fractions of the steps
    double end = 1;
  };
  std::vector<Control> controls = {};
  struct Lora {
    std::filesystem::path file;
    double weight = 1;
  };
  std::vector<Lora> loras = {};
  bool tile_x = false;  // a texture: its edges meet
  bool tile_y = false;
  std::filesystem::path upscale = {};  // an upscaling network for the finished picture
  std::string dialect = {};            // "diffusers" (where empty), "a1111" or "comfy"
  std::string precision = {};          // "auto" (where empty), "f32" or "bf16"
};
// The recipe document of a job, without its model: JSON text. Pictures in memory are named in it,
// "memory:init", "memory:mask", "memory:control0", ...
std::string recipe_json(const Job& job);

// A finished picture and its record.
struct Picture {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<uint8_t> pixels;  // [height][width][channels], sRGB, rows from the top
  std::vector<float> values;    // the same before rounding, 0 to 1

  uint64_t seed = 0;
  std::string recipe;       // JSON: every default, seed and file hash filled in; run_recipe() makes it again
  std::string recipe_hash;  // SHA-256 of it
  std::string parameters;   // the text that A1111 and its relatives read
  std::vector<std::pair<std::string, double>> seconds;   // per phase, in order
  std::vector<std::pair<std::string, double>> measures;  // "seam_x", "drift_outside", ...
  std::vector<std::string> notes;                        // decisions and warnings, for people

  // Writes the picture with its record inside, as the program does: equal recipes give equal files. The
  // ending chooses the format: .png .tif .webp .jpg .exr. bits: 8 or 16 (PNG, TIFF); EXR always holds halves.
  void save(const std::filesystem::path& file, int bits = 8) const;

  std::string record;  // what save() writes beside the pixels: recipe and environment, JSON
};

struct ModelOptions {
  std::filesystem::path vae = {};  // instead of the model's own
  std::string family = {};         // override of what is detected: "sd1", "sd2", "sdxl"
  std::string prediction = {};     // override: "epsilon", "v_prediction", "sample"
};

// A checkpoint in memory, with the adapters, ControlNets and upscaler that its pictures asked for: the second
// picture starts at once.
class Model {
 public:
  // A checkpoint file or a diffusers folder, or the name of a model that came with Maquette ("starter").
  explicit Model(const std::filesystem::path& file, const ModelOptions& options = {});
  Model(Model&& other) noexcept;
  Model& operator=(Model&& other) noexcept;
  ~Model();

  Picture run(const Job& job, const Callbacks& callbacks = {});
  // recipe: a recipe document, or the record of a picture that holds one. It need not name a model; one that
  // it names must be this one: the same file, or a file with the hash that it says.
  // Files of the recipe called "memory:NAME" (init, mask, pictures of controls, masks of regions) are the
  // pictures of these names.
  Picture run_recipe(std::string_view recipe, const Callbacks& callbacks = {},
                     const std::map<std::string, Image>& pictures = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The recipe document of a picture or JSON file.
std::string read_recipe(const std::filesystem::path& picture);
// What is in a checkpoint or adapter, as `maquette model inspect --json` tells it.
std::string inspect_model(const std::filesystem::path& file);
// Every sampler and schedule, as `maquette samplers --json` tells them.
std::string list_samplers();

// Threads that computing uses from now on, in the whole process; at first all that the process may run on.
void set_threads(int threads);

std::string version();  // "maquette 0.1.0"

}  // namespace maquette::api
