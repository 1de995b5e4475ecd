#include "app/studio/delivery.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "app/picture_record.h"
#include "app/studio/filing.h"
#include "app/studio/naming.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "media/exr_delivery.h"
#include "media/image_io.h"
#include "media/layers/openraster.h"
#include "media/layers/psd.h"
#include "production/references.h"
#include "production/takes.h"

namespace maquette::app {

namespace {

struct Delivered {
  db::Row take;
  std::string reference;
  std::string name;  // without extension
};

// --- layers ---

media::IntegerPixels pixels_of(const production::FileStore& store, const std::string& sha256, int bits) {
  store.require(sha256);
  return media::rgba_pixels(media::read_image(store.path(sha256)).take(), bits);
}

// White wherever a mask lets anything through.
media::IntegerPixels touched(const media::Image& mask, int bits) {
  media::IntegerPixels pixels(mask.height(), mask.width(), 1, bits);
  for (int64_t y = 0; y < mask.height(); ++y) {
    std::vector<float> row(mask.row(y).begin(), mask.row(y).end());
    for (float& v : row) v = v > 0 ? 1.0F : 0.0F;
    pixels.write_row(y, row);
  }
  return pixels;
}

// The take as a painter would want it: what it was made from below, hidden where the take covers it; layers
// that were painted; the mask of a retake.
media::LayeredPicture layers_of(db::Connection& c, const production::FileStore& store, const Delivered& item,
                                int bits) {
  const db::Row& take = item.take;
  media::LayeredPicture picture{
      .width = take.integer("width"), .height = take.integer("height"), .bits = bits};
  const std::vector<Json> files = production::take_files(c, take);
  const auto of_kind = [&](std::string_view kind) {
    std::vector<Json> found;
    std::ranges::copy_if(files, std::back_inserter(found), [&](const Json& file) {
      return file["representation"] == kind && file["purged_at"].is_null();
    });
    return found;
  };
  const std::vector<Json> painted = of_kind("layer");
  const std::vector<Json> masks = of_kind("mask");
  for (const db::Row& parent :
       c.query("SELECT t.*, x.relation FROM take_parents x JOIN takes t ON t.id = x.parent_id WHERE "
               "x.take_id = :t AND t.purged_at IS NULL "
               "AND x.relation IN ('source', 'retake', 'init', 'layer') ORDER BY t.seq",
               {{"t", take.text("id")}})) {
    const std::string label = production::take_label(parent.integer("revision"), parent.integer("number"));
    const bool same_size =
        parent.integer("width") == picture.width && parent.integer("height") == picture.height;
    if (same_size)
      picture.layers.push_back({.name = "Original " + label,
                                .pixels = pixels_of(store, parent.text("sha256"), bits),
                                .visible = false});
  }
  for (const Json& file : painted)
    picture.layers.push_back(
        {.name = file["name"], .pixels = pixels_of(store, file["sha256"], bits), .visible = false});

  media::Layer top{.name = production::take_label(take.integer("revision"), take.integer("number")),
                   .pixels = pixels_of(store, take.text("sha256"), bits)};
  // A retake shows what was painted anew by its mask, over the original made visible: together the same
  // picture.
  const bool over_original = !masks.empty() && painted.empty() && picture.layers.size() == 1;
  if (over_original) {
    const media::Image mask = media::to_grey(media::read_image(store.path(masks[0]["sha256"])).take());
    if (mask.width() == picture.width && mask.height() == picture.height) {
      top.mask = media::LayerMask{.pixels = touched(mask, bits)};
      picture.layers[0].visible = true;
    }
  }
  picture.layers.push_back(std::move(top));
  return picture;
}

// --- files ---

media::Overscan overscan_of(const Json& settings, const db::Row& take) {
  const double share = settings.value("overscan", 0.0);
  const auto pixels = [&](int64_t side) {
    return static_cast<int>(std::lround(static_cast<double>(side) * share / (1 + 2 * share)));
  };
  return {.left = pixels(take.integer("width")),
          .top = pixels(take.integer("height")),
          .right = pixels(take.integer("width")),
          .bottom = pixels(take.integer("height"))};
}

media::PictureMetadata record_of_take(const db::Row& take) {
  media::PictureMetadata metadata;
  const Json recipe = take.is_null("recipe") ? Json() : Json::parse(take.text("recipe"), nullptr, false);
  if (recipe.is_object()) metadata.recipe_json = recipe.dump();
  return metadata;
}

std::string extension_of(const std::string& format) {
  if (format == "png16") return ".png";
  if (format == "tiff16") return ".tif";
  return "." + format;
}

void write_format(db::Connection& c, const production::FileStore& store, const Delivered& item,
                  const std::string& format, const Json& settings, const fs::path& file) {
  if (format == "ora")
    return media::write_openraster(file, layers_of(c, store, item, 16), record_of_take(item.take));
  if (format == "psd") return media::write_psd(file, layers_of(c, store, item, 16));
  store.require(item.take.text("sha256"));
  const media::Image picture = media::read_image(store.path(item.take.text("sha256"))).take();
  if (format == "exr") {
    const std::string config_file = settings.value("color_config", "");
    std::optional<media::ColorConfig> config;
    if (!config_file.empty()) config = media::ColorConfig::read(config_file).take();
    return media::write_exr_delivery(file, picture,
                                     {.config = config ? &*config : nullptr,
                                      .overscan = overscan_of(settings, item.take),
                                      .metadata = record_of_take(item.take)});
  }
  media::write_image(file, picture, {.bits = 16, .tag_srgb = true, .metadata = record_of_take(item.take)});
}

std::vector<Delivered> items_of(db::Connection& c, const db::Row& show, const DeliveryRequest& request) {
  std::vector<db::Row> takes;
  if (request.takes.empty()) {
    if (!request.path.empty()) production::find_entity(c, show.text("code") + "/" + request.path);
    takes = c.query(
        "SELECT t.* FROM takes t JOIN tasks k ON k.approved_take_id = t.id WHERE t.show_id = :s AND (:p = '' "
        "OR "
        "k.entity_path = :p OR substr(k.entity_path, 1, :n) = :below) ORDER BY k.entity_path, t.seq",
        {{"s", show.text("id")},
         {"p", request.path},
         {"n", static_cast<int64_t>(request.path.size() + 1)},
         {"below", request.path + "/"}});
  } else {
    for (const std::string& id : request.takes) takes.push_back(production::find_take(c, id));
  }
  if (takes.empty())
    throw Error(ErrorCode::not_found, "there is nothing to deliver")
        .hint("approve takes first, or name some");
  std::vector<Delivered> items;
  for (const db::Row& take : takes) {
    if (take.text("show_id") != show.text("id"))
      throw Error(ErrorCode::usage, "the take belongs to another show");
    const Json document = production::take_document(c, take, "");
    if (document["state"] != "approved")
      throw Error(ErrorCode::refused, "only approved takes are delivered")
          .with("found", document["reference"].get<std::string>())
          .hint("the art director approves them");
    items.push_back({.take = take, .reference = document["reference"], .name = name_of_take(c, show, take)});
  }
  return items;
}

}  // namespace

std::vector<std::string> delivery_formats() { return {"png16", "tiff16", "exr", "ora", "psd"}; }

namespace {

fs::path folder_of(Studio& studio, const db::Row& show, const std::string& delivery) {
  production::require_code(delivery, "a delivery");
  return studio.show_folder(show.text("root")) / "delivery" / delivery;
}

Json manifest_of(Studio& studio, const db::Row& show, const std::string& delivery) {
  const auto text = read_text_file(folder_of(studio, show, delivery) / "manifest.json");
  if (!text) {
    throw Error(ErrorCode::not_found, "there is no delivery \"{}\"", delivery)
        .hint("maquette delivery list {}", show.text("code"));
  }
  return parse_json(*text, delivery).take();
}

}  // namespace

std::vector<Json> deliveries_of(Studio& studio, const db::Row& show) {
  std::vector<Json> list;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(studio.show_folder(show.text("root")) / "delivery", error)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name.starts_with('.')) continue;
    const auto text = read_text_file(entry.path() / "manifest.json");
    if (!text) continue;
    if (auto manifest = parse_json(*text, name)) list.push_back(*manifest);
  }
  std::ranges::sort(
      list, [](const Json& a, const Json& b) { return a.value("made_at", "") > b.value("made_at", ""); });
  return list;
}

fs::path delivered_file(Studio& studio, const db::Row& show, const std::string& delivery,
                        const std::string& name) {
  const Json manifest = manifest_of(studio, show, delivery);
  const bool named = name == "manifest.json" || std::ranges::any_of(manifest["files"], [&](const Json& file) {
                       return file["name"] == name;
                     });
  if (!named) throw Error(ErrorCode::not_found, "the delivery \"{}\" has no file \"{}\"", delivery, name);
  fs::path file = folder_of(studio, show, delivery) / name;
  if (!fs::exists(file))
    throw Error(ErrorCode::not_found, "a file of the delivery is gone from the disk")
        .with("where", file.string());
  return file;
}

fs::path delivery_archive(Studio& studio, const db::Row& show, const std::string& delivery) {
  const Json manifest = manifest_of(studio, show, delivery);
  std::vector<media::ZipFile> files = {
      {.name = delivery + "/manifest.json", .file = delivered_file(studio, show, delivery, "manifest.json")}};
  for (const Json& file : manifest["files"]) {
    const std::string name = file["name"];
    files.push_back({.name = delivery + "/" + name, .file = delivered_file(studio, show, delivery, name)});
  }
  const fs::path out = studio.spool() / fmt::format("delivery-{}.zip", new_uuid());
  media::write_zip_of_files(out, files);
  return out;
}

Json deliver(Studio& studio, const db::Row& show, const DeliveryRequest& request) {
  const std::vector<std::string> formats =
      request.formats.empty() ? std::vector<std::string>{"png16"} : request.formats;
  for (const std::string& format : formats) {
    const auto known = delivery_formats();
    if (std::ranges::find(known, format) == known.end()) {
      throw Error(ErrorCode::usage, "cannot deliver as \"{}\"", format)
          .with("expected", fmt::format("{}", fmt::join(known, ", ")));
    }
  }
  std::string name = request.name;
  if (name.empty()) {
    name = utc_now().substr(0, 19);
    std::erase_if(name, [](char c) { return c == ':'; });
  }
  production::require_code(name, "a delivery");
  const Json settings = production::json_of(show, "settings");
  const production::FileStore store = store_of(studio, show);
  const fs::path folder = store.folder() / "delivery" / name;
  const fs::path hidden = store.folder() / "delivery" / ("." + name + ".partial");
  if (fs::exists(folder))
    throw Error(ErrorCode::conflict, "there is a delivery of this name").with("where", folder.string());
  fs::remove_all(hidden);
  fs::create_directories(hidden);

  const db::Lease c = studio.database().connect();
  Json files = Json::array();
  for (const Delivered& item : items_of(*c, show, request)) {
    for (const std::string& format : formats) {
      const std::string file = item.name + extension_of(format);
      if (fs::exists(hidden / file))
        throw Error(ErrorCode::conflict, "two takes would have the same file name")
            .with("found", file)
            .hint("the show's path_template must tell them apart");
      write_format(*c, store, item, format, settings, hidden / file);
      files.push_back({{"take", item.take.text("id")},
                       {"reference", item.reference},
                       {"format", format},
                       {"name", file},
                       {"sha256", sha256_hex_of_file(hidden / file)},
                       {"bytes", fs::file_size(hidden / file)},
                       {"source_sha256", item.take.text("sha256")}});
    }
  }
  const Json manifest = {{"schema", "MaquetteDelivery.1"}, {"show", show.text("code")}, {"name", name},
                         {"made_at", utc_now()},           {"maquette", version()},     {"files", files}};
  write_file_atomically(hidden / "manifest.json", manifest.dump(2) + "\n");
  fs::rename(hidden, folder);
  return {{"name", name},
          {"folder", folder.string()},
          {"manifest", (folder / "manifest.json").string()},
          {"files", files}};
}

}  // namespace maquette::app
