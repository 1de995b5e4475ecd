// One list of fields serves writing and reading: `fields(visitor, recipe)` names each once, the writer leaves
// out what is at its default, the reader fills what is there.
#include "base/recipe.h"

#include <array>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace maquette {

namespace {

template <typename Enum, size_t N>
struct Names {
  std::string_view what;
  std::array<std::pair<Enum, std::string_view>, N> entries;

  std::string_view name_of(Enum value) const {
    for (const auto& [entry, text] : entries) {
      if (entry == value) return text;
    }
    return entries[0].second;
  }
  Enum parse(std::string_view text) const {
    std::vector<std::string> choices;
    for (const auto& [entry, choice] : entries) {
      if (choice == lower_ascii(text)) return entry;
      choices.emplace_back(choice);
    }
    Error error(ErrorCode::usage, "unknown {} \"{}\"", what, text);
    error.with("expected", fmt::format("{}", fmt::join(choices, ", ")));
    if (const auto meant = did_you_mean(text, choices)) error.hint("did you mean {}?", *meant);
    throw error;
  }
};

constexpr Names<Dialect, 3> kDialects{
    "dialect", {{{Dialect::diffusers, "diffusers"}, {Dialect::a1111, "a1111"}, {Dialect::comfy, "comfy"}}}};
constexpr Names<NoiseSourceKind, 2> kNoiseSources{
    "noise source", {{{NoiseSourceKind::torch, "torch"}, {NoiseSourceKind::philox, "philox"}}}};
constexpr Names<Precision, 3> kPrecisions{
    "precision", {{{Precision::automatic, "auto"}, {Precision::f32, "f32"}, {Precision::bf16, "bf16"}}}};
constexpr Names<MaskFill, 4> kMaskFills{"mask fill",
                                        {{{MaskFill::original, "original"},
                                          {MaskFill::fill, "fill"},
                                          {MaskFill::noise, "noise"},
                                          {MaskFill::nothing, "nothing"}}}};
constexpr Names<ControlMode, 3> kControlModes{"control mode",
                                              {{{ControlMode::balanced, "balanced"},
                                                {ControlMode::prompt, "prompt"},
                                                {ControlMode::control, "control"}}}};

}  // namespace

std::string_view name(Dialect dialect) { return kDialects.name_of(dialect); }
std::string_view name(NoiseSourceKind kind) { return kNoiseSources.name_of(kind); }
std::string_view name(Precision precision) { return kPrecisions.name_of(precision); }
std::string_view name(MaskFill fill) { return kMaskFills.name_of(fill); }
std::string_view name(ControlMode mode) { return kControlModes.name_of(mode); }
Dialect parse_dialect(std::string_view text) { return kDialects.parse(text); }
NoiseSourceKind parse_noise_source(std::string_view text) { return kNoiseSources.parse(text); }
Precision parse_precision(std::string_view text) { return kPrecisions.parse(text); }
MaskFill parse_mask_fill(std::string_view text) { return kMaskFills.parse(text); }
ControlMode parse_control_mode(std::string_view text) { return kControlModes.parse(text); }

namespace {

// How each type of field looks in JSON. The readers throw Error(bad_file) on a wrong type.
Error wrong_type(std::string_view field, const Json& found, std::string_view expected) {
  return Error(ErrorCode::bad_file, "cannot read the recipe")
      .with("field", field)
      .with("found", found.dump().substr(0, 80))
      .with("expected", expected);
}

template <typename T>
void read_value(std::string_view field, const Json& json, T& value) {
  if constexpr (std::is_same_v<T, Json>) {
    if (!json.is_object()) throw wrong_type(field, json, "an object");
    value = json;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) throw wrong_type(field, json, "true or false");
    value = json.get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) throw wrong_type(field, json, "text");
    value = json.get<std::string>();
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    if (!json.is_number_unsigned()) throw wrong_type(field, json, "a whole number from 0");
    value = json.get<uint64_t>();
  } else if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer() || json.get<int64_t>() > 1'000'000 || json.get<int64_t>() < -1'000'000) {
      throw wrong_type(field, json, "a whole number");
    }
    value = static_cast<T>(json.get<int64_t>());
  } else {
    if (!json.is_number()) throw wrong_type(field, json, "a number");
    value = json.get<T>();
  }
}

template <typename T>
Json write_value(const T& value) {
  return value;
}

template <typename Enum, size_t N>
void read_enum(std::string_view field, const Json& json, const Names<Enum, N>& names, Enum& value) {
  if (!json.is_string()) throw wrong_type(field, json, "text");
  value = names.parse(json.get<std::string>());
}
void read_value(std::string_view field, const Json& json, Dialect& value) {
  read_enum(field, json, kDialects, value);
}
void read_value(std::string_view field, const Json& json, NoiseSourceKind& value) {
  read_enum(field, json, kNoiseSources, value);
}
void read_value(std::string_view field, const Json& json, Precision& value) {
  read_enum(field, json, kPrecisions, value);
}
void read_value(std::string_view field, const Json& json, MaskFill& value) {
  read_enum(field, json, kMaskFills, value);
}
void read_value(std::string_view field, const Json& json, ControlMode& value) {
  read_enum(field, json, kControlModes, value);
}
Json write_value(Dialect value) { return name(value); }
Json write_value(NoiseSourceKind value) { return name(value); }
Json write_value(Precision value) { return name(value); }
Json write_value(MaskFill value) { return name(value); }
Json write_value(ControlMode value) { return name(value); }

// The fields of each record, once.
template <typename V>
void fields(V& v, FileRef& f) {
  v("path", f.path);
  v("sha256", f.sha256);
}
template <typename V>
void fields(V& v, Recipe::Inpaint& f) {
  v("fill", f.fill);
  v("feather", f.feather);
  v("padding", f.padding);
  v("soft", f.soft);
  v("composite", f.composite);
}
template <typename V>
void fields(V& v, Recipe::Outpaint& f) {
  v("left", f.left);
  v("right", f.right);
  v("top", f.top);
  v("bottom", f.bottom);
}
template <typename V>
void fields(V& v, Recipe::Control& f) {
  v("kind", f.kind);
  v("model", f.model);
  v("image", f.image);
  v("weight", f.weight);
  v("start", f.start);
  v("end", f.end);
  v("mode", f.mode);
}
template <typename V>
void fields(V& v, Recipe::Adapter& f) {
  v("file", f.file);
  v("unet_weight", f.unet_weight);
  v("text_weight", f.text_weight);
  v("tag", f.tag);
}
template <typename V>
void fields(V& v, Recipe::Region& f) {
  v("prompt", f.prompt);
  v("mask", f.mask);
  v("weight", f.weight);
}
template <typename V>
void fields(V& v, Recipe::FeatureCache& f) {
  v("every", f.every);
  v("depth", f.depth);
}
template <typename V>
void fields(V& v, Recipe::HiRes& f) {
  v("scale", f.scale);
  v("steps", f.steps);
  v("strength", f.strength);
}
template <typename V>
void fields(V& v, Recipe& r) {
  v("model", r.model);
  v("model_family", r.model_family);
  v("prediction", r.prediction);
  v("vae", r.vae);
  v("prompt", r.prompt);
  v("negative", r.negative);
  v("width", r.width);
  v("height", r.height);
  v("steps", r.steps);
  v("cfg", r.cfg);
  v("guidance_rescale", r.guidance_rescale);
  v("sampler", r.sampler);
  v("schedule", r.schedule);
  v("eta", r.eta);
  v("scheduler_config", r.scheduler_config);
  v("image_cfg", r.image_cfg);
  v("original_size", r.original_size);
  v("crop", r.crop);
  v("target_size", r.target_size);
  v("aesthetic_score", r.aesthetic_score);
  v("negative_aesthetic_score", r.negative_aesthetic_score);
  v("seed", r.seed);
  v("start_step", r.start_step);
  v("end_step", r.end_step);
  v("denoising_start", r.denoising_start);
  v("denoising_end", r.denoising_end);
  v("dialect", r.dialect);
  v("rng", r.rng);
  v("precision", r.precision);
  v("clip_skip", r.clip_skip);
  v("init", r.init);
  v("strength", r.strength);
  v("mask", r.mask);
  v("inpaint", r.inpaint);
  v("outpaint", r.outpaint);
  v("controls", r.controls);
  v("image_encoder", r.image_encoder);
  v("loras", r.loras);
  v("lora_folder", r.lora_folder);
  v("embeddings", r.embeddings);
  v("allow_unmatched", r.allow_unmatched);
  v("regions", r.regions);
  v("tile_x", r.tile_x);
  v("tile_y", r.tile_y);
  v("feature_cache", r.feature_cache);
  v("hires", r.hires);
  v("tile_size", r.tile_size);
  v("upscale", r.upscale);
}

template <typename T>
constexpr bool kIsRecord = std::is_same_v<T, FileRef> || std::is_same_v<T, Recipe::Inpaint> ||
                           std::is_same_v<T, Recipe::Outpaint> || std::is_same_v<T, Recipe::Control> ||
                           std::is_same_v<T, Recipe::Adapter> || std::is_same_v<T, Recipe::Region> ||
                           std::is_same_v<T, Recipe::FeatureCache> || std::is_same_v<T, Recipe::HiRes>;

template <typename T>
Json written(const T& value);
template <typename T>
Json written(const std::optional<T>& value) {
  return value ? written(*value) : Json();
}
template <typename T>
Json written(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(written(value));
  return list;
}

struct Writer {
  Json json = Json::object();

  template <typename T>
  void operator()(std::string_view field, const T& value) {
    json[std::string(field)] = written(value);
  }
};

// A record without the fields that a fresh one has the same.
template <typename T>
Json written(const T& value) {
  if constexpr (kIsRecord<T> || std::is_same_v<T, Recipe>) {
    Writer writer;
    Writer fresh;
    T copy = value;
    T defaults;
    fields(writer, copy);
    fields(fresh, defaults);
    Json kept = Json::object();
    for (const auto& [field, json] : writer.json.items()) {
      if (json != fresh.json[field]) kept[field] = json;
    }
    return kept;
  } else {
    return write_value(value);
  }
}

class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) throw wrong_type(path_, json, "an object");
  }

  template <typename T>
  void operator()(std::string_view field, T& value) {
    known_.insert(std::string(field));
    const auto found = json_.find(std::string(field));
    if (found != json_.end() && !found->is_null()) read(path_ + std::string(field), *found, value);
  }
  void refuse_unknown() const {
    for (const auto& [key, value] : json_.items()) {
      if (known_.contains(key)) continue;
      const std::vector<std::string> names(known_.begin(), known_.end());
      Error error(ErrorCode::bad_file, "cannot read the recipe");
      error.with("field", path_ + key).with("found", "a field that this version does not know");
      if (const auto meant = did_you_mean(key, names)) error.hint("did you mean \"{}\"?", *meant);
      throw error;
    }
  }
  void know(std::string_view field) { known_.insert(std::string(field)); }

 private:
  template <typename T>
  static void read(const std::string& field, const Json& json, T& value) {
    if constexpr (kIsRecord<T>) {
      Reader inner(json, field + ".");
      fields(inner, value);
      inner.refuse_unknown();
    } else {
      read_value(field, json, value);
    }
  }
  template <typename T>
  static void read(const std::string& field, const Json& json, std::optional<T>& value) {
    read(field, json, value.emplace());
  }
  template <typename T>
  static void read(const std::string& field, const Json& json, std::vector<T>& values) {
    constexpr size_t kMost = 256;
    if (!json.is_array() || json.size() > kMost) throw wrong_type(field, json, "a list of at most 256");
    for (const Json& item : json) read(field, item, values.emplace_back());
  }

  const Json& json_;
  std::string path_;
  std::set<std::string> known_;
};

}  // namespace

Json to_json(const Recipe& recipe) {
  Json json{{"schema", "maquette.recipe"}, {"version", Recipe::kVersion}};
  json.update(written(recipe));
  return json;
}

Result<Recipe> recipe_from_json(const Json& json) {
  const auto schema = json.is_object() ? json.value("schema", Json()) : Json();
  const auto version = json.is_object() ? json.value("version", Json()) : Json();
  if (schema != "maquette.recipe" || !version.is_number_integer()) {
    return Error(ErrorCode::bad_file, "cannot read the recipe")
        .with("found",
              fmt::format("schema {}, version {}", schema.dump().substr(0, 80), version.dump().substr(0, 80)))
        .with("expected", "schema \"maquette.recipe\" with a version");
  }
  if (version.get<int64_t>() < 1 || version.get<int64_t>() > Recipe::kVersion) {
    return Error(ErrorCode::bad_file, "cannot read the recipe")
        .with("found", fmt::format("version {}", version.dump()))
        .with("expected", fmt::format("1 to {}", Recipe::kVersion))
        .hint("it was written by a newer Maquette");
  }
  try {
    Recipe recipe;
    Reader reader(json, "");
    reader.know("schema");
    reader.know("version");
    fields(reader, recipe);
    reader.refuse_unknown();
    return recipe;
  } catch (const Error& error) {
    return error;
  }
}

std::string recipe_hash(const Recipe& recipe) { return sha256_hex(to_json(recipe).dump()); }

}  // namespace maquette
