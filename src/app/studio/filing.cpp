#include "app/studio/filing.h"

#include <future>
#include <semaphore>

#include "app/picture_recipe.h"
#include "app/picture_record.h"
#include "base/file.h"
#include "base/recipe.h"
#include "base/text.h"
#include "media/a1111_parameters.h"
#include "media/thumbnail.h"
#include "production/references.h"

namespace maquette::app {

namespace {

std::string media_type_of(media::ImageFormat format) {
  switch (format) {
    case media::ImageFormat::png: return "image/png";
    case media::ImageFormat::jpeg: return "image/jpeg";
    case media::ImageFormat::tiff: return "image/tiff";
    case media::ImageFormat::webp: return "image/webp";
    case media::ImageFormat::exr: return "image/x-exr";
    case media::ImageFormat::bmp: return "image/bmp";
    case media::ImageFormat::hdr: return "image/vnd.radiance";
  }
  return "application/octet-stream";
}

// What comes over the network is decoded at once by whoever asks, so that less is allowed than on the command
// line: 8192 x 8192 pixels, or a layered picture of as many numbers (1 GB while it is read), two at a time.
constexpr media::ReadOptions kReading{.limits = {.pixels = int64_t{64} << 20, .samples = int64_t{256} << 20}};

class DecodingTurn {
 public:
  DecodingTurn() { turns().acquire(); }
  ~DecodingTurn() { turns().release(); }
  DecodingTurn(const DecodingTurn&) = delete;
  DecodingTurn& operator=(const DecodingTurn&) = delete;

 private:
  static std::counting_semaphore<2>& turns() {
    static std::counting_semaphore<2> all(2);
    return all;
  }
};

}  // namespace

production::FileStore store_of(Studio& studio, const db::Row& show) {
  return production::FileStore(studio.show_folder(show.text("root")));
}

StoredPicture store_picture(const production::FileStore& store, const fs::path& file) {
  StoredPicture stored;
  media::Thumbnail thumbnail;
  // Needs no pixel, and so runs beside the decoding; whoever leaves here waits for it.
  std::future<std::string> sha256 =
      std::async(std::launch::async, [&file] { return production::FileStore::prepare(file); });
  {
    const MappedFile mapped = MappedFile::open(file).take();
    const auto format = media::detect_format(mapped.bytes());
    if (!format) {
      throw Error(ErrorCode::bad_file, "this is no picture that Maquette reads")
          .with("expected", "PNG, JPEG, TIFF, WebP, OpenEXR, BMP or Radiance HDR");
    }
    const DecodingTurn turn;
    thumbnail = media::make_thumbnail(mapped.bytes(), {}, kReading).take();
    stored.media_type = media_type_of(*format);
    stored.bytes = static_cast<int64_t>(mapped.bytes().size());
  }
  stored.width = thumbnail.full_width;
  stored.height = thumbnail.full_height;
  stored.thumbnail_bytes = static_cast<int64_t>(thumbnail.jpeg.size());
  stored.thumbnail = store.put(thumbnail.jpeg);
  stored.sha256 = store.take(file, sha256.get());
  return stored;
}

void register_picture(const production::Change& change, const production::FileStore& store,
                      const std::string& show_id, const StoredPicture& picture, production::NewTake& take) {
  register_stored(change, store, show_id,
                  {.sha256 = picture.sha256, .media_type = picture.media_type, .bytes = picture.bytes});
  register_stored(
      change, store, show_id,
      {.sha256 = picture.thumbnail, .media_type = "image/jpeg", .bytes = picture.thumbnail_bytes});
  take.sha256 = picture.sha256;
  take.thumbnail = picture.thumbnail;
  take.width = picture.width;
  take.height = picture.height;
}

StoredFile store_file(const production::FileStore& store, const fs::path& file) {
  StoredFile stored;
  {
    const MappedFile mapped = MappedFile::open(file).take();
    stored.bytes = static_cast<int64_t>(mapped.bytes().size());
    if (const auto format = media::detect_format(mapped.bytes())) {
      // Decoded once, so that what is refused is refused here and not by whoever opens it later.
      const DecodingTurn turn;
      const media::Image8 picture = media::decode_image8(mapped.bytes(), kReading).take();
      stored.media_type = media_type_of(*format);
      stored.width = picture.width();
      stored.height = picture.height();
    } else {
      constexpr size_t kMostText = size_t{64} << 20;
      const std::string text = read_text_file(file, kMostText).take();
      parse_json(text, "the file").take();
      stored.media_type = "application/json";
    }
  }
  stored.sha256 = store.take(file);
  return stored;
}

void register_stored(const production::Change& change, const production::FileStore& store,
                     const std::string& show_id, const StoredFile& file) {
  production::register_file(change, show_id, file.sha256, file.bytes, file.media_type);
  if (store.has(file.sha256)) return;
  throw Error(ErrorCode::failed, "the same picture was purged at this moment").hint("bring it in again");
}

PictureOrigin origin_of_record(const Json& record) {
  PictureOrigin origin{.recipe = record};
  if (const auto recipe = recipe_of_record(record)) {
    origin.seed = fmt::format("{}", recipe->seed);
    origin.model = fs::path(recipe->model.path).filename().string();
    if (origin.model.empty()) origin.model = fs::path(recipe->model.path).parent_path().filename().string();
    origin.prompt = recipe->prompt;
  }
  return origin;
}

PictureOrigin origin_of(const fs::path& file) {
  const auto known = recipe_of_picture(file);
  if (!known || known->source == RecipeSource::none) return {};
  if (known->source == RecipeSource::maquette) {
    if (auto record = parse_json(known->original, file.string())) return origin_of_record(*record);
  }
  // What another program wrote is kept as it stands, beside what could be understood of it.
  Json record = {{"source", name(known->source)}};
  if (known->recipe) {
    Recipe recipe = *known->recipe;
    if (recipe.model.empty() && known->source == RecipeSource::a1111) {
      const auto parameters = media::parse_a1111_parameters(known->original);
      recipe.model.path = parameters ? parameters->find("Model").value_or("") : "";
    }
    record["recipe"] = to_json(recipe);
  }
  if (!known->notes.empty()) record["notes"] = known->notes;
  record["original"] = known->original;
  // Any bytes may stand in a picture: what is no UTF-8 is replaced.
  const std::string text = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  return origin_of_record(parse_json(text, file.string()).take());
}

}  // namespace maquette::app
