#include "diffusion/guides.h"

#include <algorithm>
#include <cmath>

#include "diffusion/fit.h"
#include "media/resize.h"
#include "weights/weight_file.h"

namespace maquette::diffusion {

namespace {

bool is_latent_file(const std::string& path) { return path.ends_with(".safetensors"); }

Tensor read_latent(const Recipe& recipe, const Model& model) {
  const auto file = weights::open_weight_file(recipe.init.path).take();
  const weights::TensorInfo* info = file->find("latent");
  if (!info && file->tensors().size() == 1) info = &file->tensors()[0];
  Tensor latent = info ? file->read(info->name).take().to(DType::f32) : Tensor();
  if (latent.defined() && latent.rank() == 3)
    latent = latent.reshape({1, latent.size(0), latent.size(1), latent.size(2)});
  if (!latent.defined() || latent.rank() != 4 || latent.size(0) != 1 ||
      latent.size(1) != model.latent_channels()) {
    throw Error(ErrorCode::bad_file, "cannot start from \"{}\"", recipe.init.path)
        .with("found", latent.defined() ? latent.shape().text() : "no tensor named \"latent\"")
        .with("expected", fmt::format("[1, {}, h, w]", model.latent_channels()));
  }
  return latent.clone();
}

// The working size: what the recipe says, or the init picture's own, in whole latent pixels.
int64_t working_size(int asked, int64_t own, int factor, std::string_view side) {
  if (asked == 0) return std::max<int64_t>(own / factor * factor, factor);
  if (asked % factor != 0) {
    throw Error(ErrorCode::usage, "cannot make a picture of this size")
        .with(std::string(side), asked)
        .with("expected", fmt::format("a multiple of {}", factor))
        .hint("the nearest is {}", std::max(factor, (asked + factor / 2) / factor * factor));
  }
  return asked;
}

bool fits_part(const Recipe& recipe) {
  return recipe.dialect == Dialect::diffusers && recipe.inpaint.padding >= 0;
}

media::Image resized(const media::Image& image, int64_t height, int64_t width) {
  if (image.height() == height && image.width() == width) return image;
  return media::to_float(media::resize(media::to_8bit(image), height, width, media::Filter::lanczos));
}

// Reads the init picture and the mask; where the picture grows, its canvas is enlarged and the new margins
// are masked.
void take_pictures(const Recipe& recipe, const Pictures& pictures, PictureInput& input) {
  media::Image picture = media::to_rgb(pictures.read(recipe.init));
  media::Image mask;
  if (!recipe.mask.empty()) {
    mask = pictures.read_mask(recipe.mask);
    mask = resized(mask, picture.height(), picture.width());
  }
  const Recipe::Outpaint& margins = recipe.outpaint;
  if (margins.any()) {
    const int64_t height = picture.height() + margins.top + margins.bottom;
    const int64_t width = picture.width() + margins.left + margins.right;
    media::Image canvas = media::Image::zeros(height, width, 3);
    media::Image new_mask = media::Image::zeros(height, width, 1);
    std::ranges::fill(new_mask.data(), 1.0f);
    for (int64_t y = 0; y < picture.height(); ++y) {
      std::ranges::copy(picture.row(y), canvas.row(y + margins.top).begin() + 3 * margins.left);
      auto row = new_mask.row(y + margins.top)
                     .subspan(static_cast<size_t>(margins.left), static_cast<size_t>(picture.width()));
      std::ranges::fill(row, 0.0f);
      if (mask.pixels.defined()) std::ranges::copy(mask.row(y), row.begin());
    }
    picture = canvas;
    mask = new_mask;
  }
  input.whole = picture;
  input.whole_mask = mask;
}

}  // namespace

PictureInput read_picture_input(const Recipe& recipe, const Model& model, const Pictures& pictures) {
  const int factor = model.codec->factor();
  PictureInput input;
  if (recipe.init.empty()) {
    input.height = working_size(recipe.height, model.native_height, factor, "height");
    input.width = working_size(recipe.width, model.native_width, factor, "width");
    if (!recipe.mask.empty()) {
      throw Error(ErrorCode::usage, "cannot repaint without a picture").hint("name the picture with --init");
    }
    return input;
  }
  if (is_latent_file(recipe.init.path)) {
    input.init_latent = read_latent(recipe, model);
    input.height = input.init_latent.size(2) * factor;
    input.width = input.init_latent.size(3) * factor;
    return input;
  }
  take_pictures(recipe, pictures, input);
  const media::Image& picture = input.whole;
  input.part = {.left = 0, .top = 0, .right = picture.width(), .bottom = picture.height()};
  if (input.whole_mask.pixels.defined() && recipe.inpaint.padding >= 0) {
    input.height = working_size(recipe.height, model.native_height, factor, "height");
    input.width = working_size(recipe.width, model.native_width, factor, "width");
    const auto masked = media::mask_region(input.whole_mask, recipe.inpaint.padding);
    if (!masked)
      throw Error(ErrorCode::usage, "cannot repaint with an empty mask").with("mask", recipe.mask.path);
    input.part = media::expand_to_proportions(*masked, {.width = input.width, .height = input.height},
                                              picture.width(), picture.height());
  } else {
    input.height = working_size(recipe.height, picture.height(), factor, "height");
    input.width = working_size(recipe.width, picture.width(), factor, "width");
    // Without a part of its own the whole picture is brought to the working size.
    input.whole = resized(input.whole, input.height, input.width);
    if (input.whole_mask.pixels.defined())
      input.whole_mask = resized(input.whole_mask, input.height, input.width);
    input.part = {.left = 0, .top = 0, .right = input.width, .bottom = input.height};
  }
  // Where diffusers repaints the masked part only, it puts the part back through the mask as it was given.
  const bool fits = fits_part(recipe);
  if (input.whole_mask.pixels.defined() && !recipe.inpaint.soft && !fits) {
    input.whole_mask = media::binarise(input.whole_mask);
  }
  const auto working = [&input, fits](const media::Image& image) {
    const media::Image part =
        media::crop(image, input.part.top, input.part.left, input.part.height(), input.part.width());
    if (fits) return media::to_float(fitted(media::to_8bit(part), input.height, input.width));
    return resized(part, input.height, input.width);
  };
  input.init = working(input.whole);
  if (input.whole_mask.pixels.defined()) {
    input.mask = working(input.whole_mask);
    if (!recipe.inpaint.soft) input.mask = media::binarise(input.mask);
    if (recipe.inpaint.fill == MaskFill::fill || recipe.outpaint.any()) {
      input.init = media::fill_from_surroundings(input.init, input.mask);
    }
  }
  return input;
}

namespace {

// The decoded part at its size in the picture, over the whole, through the mask.
template <typename T>
media::BasicImage<T> laid_over(const media::BasicImage<T>& whole, const media::BasicImage<T>& decoded,
                               const media::Image& mask, const PictureInput& input, bool fits) {
  const int64_t height = input.part.height();
  const int64_t width = input.part.width();
  const auto part =
      fits ? unfitted(decoded, height, width) : media::resize(decoded, height, width, media::Filter::lanczos);
  return media::composite(whole, media::paste(whole, part, input.part.top, input.part.left), mask);
}

}  // namespace

FinishedPicture put_back(const PictureInput& input, const Recipe& recipe, const Tensor& decoded) {
  FinishedPicture finished{.image8 = media::image8_from_signed_tensor(decoded),
                           .image = media::image_from_signed_tensor(decoded)};
  if (!input.has_mask() || !recipe.inpaint.composite) return finished;
  media::Image mask = input.whole_mask;
  // The fade lies inside the mask: what is outside stays as it was, to the last bit.
  if (recipe.inpaint.feather > 0)
    mask = media::feather(mask, recipe.inpaint.feather, media::FeatherSide::inside);
  // Twice, so that 8 bits are those of 8-bit programs and 16 bits lose nothing.
  const bool fits = fits_part(recipe);
  finished.image8 = laid_over(media::to_8bit(input.whole), finished.image8, mask, input, fits);
  finished.image = laid_over(input.whole, finished.image, mask, input, fits);
  for (float& v : finished.image.data()) v = std::clamp(v, 0.0f, 1.0f);  // the filter overshoots
  return finished;
}

namespace {

// The picture with the part to be repainted made grey (0 in [-1, 1]), as inpainting models are trained.
Tensor masked_picture(const PictureInput& picture) {
  Tensor pixels = media::to_signed_tensor(picture.init);
  const auto mask = picture.mask.data();
  auto values = pixels.data();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= mask[i % mask.size()] < 0.5f ? 1.0f : 0.0f;
  return pixels;
}

// The mask at latent size. diffusers takes the nearest pixel of the rounded mask; the others shrink it
// smoothly, A1111 rounding again unless the mask is to be soft.
Tensor latent_mask(const PictureInput& picture, const Recipe& recipe, int64_t height, int64_t width) {
  const Tensor mask = media::to_unit_tensor(picture.mask);
  if (recipe.dialect == Dialect::diffusers) {
    return media::interpolate(mask, height, width, media::Interpolation::nearest);
  }
  Tensor small = media::interpolate(mask, height, width, media::Interpolation::bilinear).clone();
  if (recipe.dialect == Dialect::a1111 && !recipe.inpaint.soft) {
    for (float& v : small.data()) v = v >= 0.5f ? 1.0f : 0.0f;
  }
  return small;
}

// What the masked part of the latent starts from, where it is not a picture.
void fill_latent(MaskFill fill, LatentInput& input) {
  if (!input.clean.defined() || (fill != MaskFill::noise && fill != MaskFill::nothing)) return;
  input.clean = input.clean.clone();
  auto values = input.clean.data();
  for (size_t i = 0; i < values.size(); ++i) {
    const float w = input.mask.data()[i % input.mask.data().size()];
    values[i] = (1 - w) * values[i] + (fill == MaskFill::noise ? w * input.noise.data()[i] : 0.0f);
  }
}

Tensor joined_channels(const Tensor& a, const Tensor& b) {
  Tensor out = Tensor::empty({1, a.size(1) + b.size(1), a.size(2), a.size(3)});
  std::ranges::copy(a.data(), out.data().begin());
  std::ranges::copy(b.data(), out.data().begin() + a.elements());
  return out;
}

}  // namespace

bool holds_kept_part(Dialect dialect, const Model& model) {
  return dialect != Dialect::diffusers || !model.inpainting();
}

LatentInput make_latent_input(kernels::Exec& ex, const PictureInput& picture, sampling::NoiseSource& noise,
                              const EncodeSettings& settings) {
  const Model& model = settings.model;
  const Recipe& recipe = settings.recipe;
  const Codec& codec = *model.codec;
  const Shape shape{1, model.latent_channels(), picture.height / codec.factor(),
                    picture.width / codec.factor()};
  // Only diffusers draws the random part of the VAE's distribution from the picture's seed; elsewhere it
  // comes from an unseeded generator, and the mean is used here.
  Codec::NoiseFunction draw;
  if (recipe.dialect == Dialect::diffusers) draw = [&noise](const Shape& s) { return noise.next(s); };

  LatentInput input;
  const bool inpainting_model = model.inpainting();
  const bool edit_model = model.editing() && !inpainting_model;
  input.clean = picture.init_latent;
  const bool needs_clean =
      !settings.from_noise || (picture.has_mask() && holds_kept_part(recipe.dialect, model));
  if (picture.init.pixels.defined() && needs_clean && !edit_model) {
    input.clean = codec.encode(ex, media::to_signed_tensor(picture.init), draw, settings.tiles);
  }
  input.noise = noise.first(shape);
  if (picture.has_mask()) {
    input.mask = latent_mask(picture, recipe, shape[2], shape[3]);
    fill_latent(recipe.inpaint.fill, input);
    // diffusers encodes the masked picture for every model, which moves its generator on.
    if (inpainting_model || recipe.dialect == Dialect::diffusers) {
      const Tensor masked = codec.encode(ex, masked_picture(picture), draw, settings.tiles);
      if (inpainting_model) input.extra = joined_channels(input.mask, masked);
    }
  } else if (inpainting_model) {
    // Without a mask everything is repainted.
    const Tensor grey = Tensor::zeros({1, 3, picture.height, picture.width});
    input.extra = joined_channels(Tensor::full({1, 1, shape[2], shape[3]}, 1),
                                  codec.encode(ex, grey, nullptr, settings.tiles));
  } else if (edit_model) {
    if (!picture.init.pixels.defined()) {
      throw Error(ErrorCode::usage, "cannot edit without a picture").hint("name the picture with --init");
    }
    // The edit models see the mean, without the scaling factor (Brooks et al. 2023).
    input.extra =
        codec.unscaled(codec.encode(ex, media::to_signed_tensor(picture.init), nullptr, settings.tiles));
  }
  return input;
}

namespace {

// out = mask a + (1 - mask) b, with one mask for all channels
void blend(Tensor& a, const Tensor& mask, const Tensor& b, float b_factor, const Tensor* c, float c_factor) {
  auto values = a.data();
  const auto weights = mask.data();
  const auto kept = b.data();
  for (size_t i = 0; i < values.size(); ++i) {
    const float w = weights[i % weights.size()];
    const float other = b_factor * kept[i] + (c ? c_factor * c->data()[i] : 0.0f);
    values[i] = w * values[i] + (1 - w) * other;
  }
}

}  // namespace

void add_mask_hooks(Dialect dialect, const LatentInput& input, const sampling::SamplingPlan& plan,
                    sampling::SamplingHooks& hooks) {
  const auto noised = [&input](Tensor& x, const sampling::LatentState& state) {
    blend(x, input.mask, input.clean, state.level.signal, &input.noise, state.level.noise);
  };
  const auto denoised = [&input](Tensor& x, const sampling::LatentState&) {
    blend(x, input.mask, input.clean, 1, nullptr, 0);
  };
  // Over timesteps A1111 shows the network the kept part without any noise, at unit variance.
  const auto clean = [&input](Tensor& x, const sampling::LatentState& state) {
    blend(x, input.mask, input.clean, std::hypot(state.level.signal, state.level.noise), nullptr, 0);
  };
  switch (dialect) {
    case Dialect::diffusers:
      hooks.after_step = [noised](Tensor& x, const Tensor&, const sampling::LatentState& state) {
        noised(x, state);
      };
      break;
    case Dialect::a1111:
      if (plan.over_timesteps()) {
        hooks.before_model = clean;
      } else {
        hooks.after_model = denoised;
      }
      break;
    case Dialect::comfy:
      hooks.before_model = noised;
      hooks.after_model = denoised;
      break;
  }
}

void finish_masked(Dialect dialect, const LatentInput& input, Tensor& latent) {
  if (dialect == Dialect::a1111) blend(latent, input.mask, input.clean, 1, nullptr, 0);
}

}  // namespace maquette::diffusion
