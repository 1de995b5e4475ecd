#include "app/session.h"

#include <algorithm>

#include "app/kernel_table.h"
#include "app/measures.h"
#include "app/models_folder.h"
#include "app/picture_record.h"
#include "diffusion/engine.h"
#include "media/image_io.h"

namespace maquette::app {

struct Session::State {
  diffusion::Engine engine;
};

namespace {

template <typename T>
std::vector<T> copied(std::span<const T> values) {
  return {values.begin(), values.end()};
}

template <typename T>
media::BasicImage<T> image_of(const PictureToWrite& picture, std::span<const T> values) {
  return media::BasicImage<T>(Tensor::from<T>({picture.height, picture.width, picture.channels}, values));
}

diffusion::HeldPictures held(std::span<const GivenPicture> pictures) {
  diffusion::HeldPictures result;
  constexpr int kMostPixels = 65536;  // of a side
  for (const GivenPicture& given : pictures) {
    const auto size = static_cast<uint64_t>(std::max(given.width, 0)) *
                      static_cast<uint64_t>(std::max(given.height, 0)) *
                      static_cast<uint64_t>(std::max(given.channels, 0));
    const bool shaped = given.width >= 1 && given.width <= kMostPixels && given.height >= 1 &&
                        given.height <= kMostPixels &&
                        (given.channels == 1 || given.channels == 3 || given.channels == 4);
    if (!shaped || given.pixels.size() != size) {
      throw Error(ErrorCode::usage, "cannot use the picture \"{}\"", given.name)
          .with("found", fmt::format("{} x {} pixels of {} channels in {} bytes", given.width, given.height,
                                     given.channels, given.pixels.size()))
          .with("expected", "width, height, and 1, 3 or 4 channels, a byte each");
    }
    result.insert_or_assign(given.name, media::Image8(Tensor::from<uint8_t>(
                                            {given.height, given.width, given.channels}, given.pixels)));
  }
  return result;
}

}  // namespace

Session::Session(const Recipe& recipe) : state_(std::make_unique<State>()) {
  use_kernel_table();
  state_->engine.load(with_models_found(recipe));
}
Session::~Session() = default;

MadePicture Session::run(const Recipe& recipe, const SessionCallbacks& callbacks,
                         std::span<const GivenPicture> pictures) {
  diffusion::Callbacks watch{.progress = callbacks.progress,
                             .preview = nullptr,
                             .preview_decoder = {},
                             .preview_every = callbacks.preview_every,
                             .journal = callbacks.journal};
  if (callbacks.preview) {
    watch.preview = [&callbacks](int step, const Tensor& preview) {
      const media::Image8 image = media::image8_from_signed_tensor(preview);
      callbacks.preview({.step = step,
                         .width = static_cast<int>(image.width()),
                         .height = static_cast<int>(image.height()),
                         .rgb = image.data()});
    };
  }
  const diffusion::Picture picture = state_->engine.run(with_models_found(recipe), watch, held(pictures));
  const media::Image8& image = picture.image8;
  Measured measured = measure(picture);
  MadePicture made{.width = static_cast<int>(image.width()),
                   .height = static_cast<int>(image.height()),
                   .channels = static_cast<int>(image.channels()),
                   .pixels = copied(image.data()),
                   .values = copied(picture.image.data()),
                   .recipe = picture.recipe,
                   .seconds = picture.seconds,
                   .measures = picture.measures,
                   .notes = picture.notes,
                   .known_evaluations = picture.known_evaluations};
  made.measures.insert(made.measures.end(), measured.measures.begin(), measured.measures.end());
  made.notes.insert(made.notes.end(), measured.notes.begin(), measured.notes.end());
  const media::PictureMetadata metadata =
      metadata_of(picture.recipe, {.sampler = picture.sampler, .schedule = picture.schedule});
  made.parameters = metadata.parameters.value_or("");
  made.record = metadata.recipe_json.value_or("");
  return made;
}

void write_picture(const std::filesystem::path& file, const PictureToWrite& picture, int bits) {
  if (bits != 8 && bits != 16) {
    throw Error(ErrorCode::usage, "cannot write {} bits a channel", bits).with("expected", "8 or 16");
  }
  media::WriteOptions options{.metadata = {.parameters = picture.parameters, .recipe_json = picture.record}};
  if (bits == 16 || file.extension() == ".exr") {
    options.bits = 16;
    media::write_image(file, image_of(picture, picture.values), options);
  } else {
    media::write_image(file, image_of(picture, picture.pixels), options);
  }
}

void set_threads(int threads) {
  kernels::set_thread_count(threads);
  use_kernel_table();
}

}  // namespace maquette::app
