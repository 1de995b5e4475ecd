// Feature caching across the network calls of one pass (DeepCache, Ma, Fang & Wang 2023): which calls run the
// whole network, and what is kept between them.
#pragma once

#include <map>
#include <vector>

#include "base/recipe.h"
#include "models/unet/unet.h"

namespace maquette::diffusion {

// The moment of a network call, for whoever decides by it.
struct CachedCall {
  int call = 0;         // network calls of the sampler before this one, in this pass
  double timestep = 0;  // falls from call to call; a rise means that the sampler has started again
};

// Lives as long as one pass over one picture. Features belong to those who asked for them (a tile, its
// prompts in the order of the batch) and are never shared.
class FeatureCache {
 public:
  explicit FeatureCache(Recipe::FeatureCache settings) : settings_(settings) {}

  // What to hand to the network; null where caching is off. Without an activation the call will be a full
  // one: the first of its owner, every `every` calls from then on, and the first after the noise has risen
  // again.
  models::DeepFeatures* features_for(const std::vector<size_t>& owner, const CachedCall& at);

  // After a call: whether that call and all that follow would be the same had the pass begun with it. So it
  // is where every owner's features come from that call, or are too old to be used again.
  bool stands_alone(int call) const;

 private:
  struct Entry {
    models::DeepFeatures features;
    int full_call = 0;
    double last_timestep = 0;
  };
  Recipe::FeatureCache settings_;
  std::map<std::vector<size_t>, Entry> entries_;
};

// Throws Error(usage) where the settings are none, or the network has not as many layers.
void check_feature_cache(const Recipe::FeatureCache& settings, const models::UNet& unet);

}  // namespace maquette::diffusion
