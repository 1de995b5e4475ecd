// The scores of pixel p for the tokens of region r get log(weight_r mask_r(p)) added, which multiplies their
// share in the softmax by that factor; a mask of 0 hides them altogether.
#include "diffusion/regions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "diffusion/chunk_encoder.h"
#include "media/resize.h"

namespace maquette::diffusion {

namespace {

constexpr float kBaseInside = 0.3f;  // share of the picture's prompt where a region covers a pixel wholly

struct RegionPart {
  Tensor tokens;  // [1, T, C]
  media::Image mask;
  double weight = 1;
};

// Mask of a region at the size of one attention, [1, 1, h, w].
Tensor mask_at(const media::Image& mask, int64_t height, int64_t width) {
  const media::Image8 small = media::resize(media::to_8bit(mask), height, width, media::Filter::box);
  return media::to_unit_tensor(media::to_float(small));
}

Tensor bias_at(const std::vector<RegionPart>& regions, int64_t base_tokens, int64_t height, int64_t width) {
  int64_t total = base_tokens;
  std::vector<Tensor> masks;
  for (const RegionPart& region : regions) {
    total += region.tokens.size(1);
    masks.push_back(mask_at(region.mask, height, width));
  }
  const int64_t pixels = height * width;
  Tensor bias = Tensor::empty({1, pixels, total});
  float* row = bias.data().data();
  for (int64_t p = 0; p < pixels; ++p, row += total) {
    float cover = 0;
    int64_t column = base_tokens;
    for (size_t r = 0; r < regions.size(); ++r) {
      const float mask = masks[r].data()[static_cast<size_t>(p)];
      cover = std::max(cover, mask);
      const float factor = mask * static_cast<float>(regions[r].weight);
      const float value = factor > 0 ? std::log(factor) : -std::numeric_limits<float>::infinity();
      std::fill_n(row + column, regions[r].tokens.size(1), value);
      column += regions[r].tokens.size(1);
    }
    std::fill_n(row, base_tokens, std::log(1 - cover * (1 - kBaseInside)));
  }
  return bias;
}

}  // namespace

std::map<int64_t, Tensor> add_regions(ChunkEncoder& chunks, const Recipe& recipe,
                                      const ConditioningSettings& settings, const RegionFrame& frame,
                                      PromptPlan& plan) {
  std::map<int64_t, Tensor> biases;
  if (recipe.regions.empty()) return biases;
  std::vector<RegionPart> regions;
  for (const Recipe::Region& region : recipe.regions) {
    if (!(region.weight > 0)) {
      throw Error(ErrorCode::usage, "cannot use a region of weight {}", region.weight)
          .with("expected", "above 0");
    }
    regions.push_back({.tokens = encode_plain(chunks, region.prompt, settings),
                       .mask = media::to_grey(frame.pictures.read(region.mask)),
                       .weight = region.weight});
  }

  int64_t base_tokens = 0;
  std::vector<bool> done(plan.conditions.size(), false);
  for (const PromptMoment& moment : plan.positive) {
    for (const PromptMoment::Part& part : moment.parts) {
      if (done[part.condition]) continue;
      done[part.condition] = true;
      Tensor& tokens = plan.conditions[part.condition].tokens;
      base_tokens = tokens.size(1);
      for (const RegionPart& region : regions)
        tokens = kernels::concat_tokens(chunks.exec(), tokens, region.tokens);
    }
  }

  // One bias for every size that the network halves the picture to.
  RegionSize level = frame.size;
  while (true) {
    biases[level.height * level.width] = bias_at(regions, base_tokens, level.height, level.width);
    if (level.height == 1 && level.width == 1) break;
    level = {.height = (level.height + 1) / 2, .width = (level.width + 1) / 2};
  }
  return biases;
}

}  // namespace maquette::diffusion
