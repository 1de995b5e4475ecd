// "1:N caching" of the paper's section 3.3 with a uniform interval, counted in calls of the network and not
// in steps: samplers of second order call it twice a step, and both calls count.
#include "diffusion/feature_cache.h"

#include <algorithm>

namespace maquette::diffusion {

models::DeepFeatures* FeatureCache::features_for(const std::vector<size_t>& owner, const CachedCall& at) {
  if (settings_.every <= 1) return nullptr;
  const auto [place, fresh] = entries_.try_emplace(owner);
  Entry& entry = place->second;
  // Timesteps follow from noise levels by interpolation; what differs by less than one is the same level.
  const bool noisier = at.timestep > entry.last_timestep + 1;
  if (fresh || noisier || at.call - entry.full_call >= settings_.every) {
    entry.features = {.depth = static_cast<size_t>(settings_.depth), .activation = {}};
    entry.full_call = at.call;
  }
  entry.last_timestep = at.timestep;
  return &entry.features;
}

bool FeatureCache::stands_alone(int call) const {
  return std::ranges::all_of(entries_, [&](const auto& owned) {
    const Entry& entry = owned.second;
    return entry.full_call == call || call - entry.full_call >= settings_.every;
  });
}

void check_feature_cache(const Recipe::FeatureCache& settings, const models::UNet& unet) {
  const auto refuse = [](std::string_view what, int found, const std::string& expected) {
    throw Error(ErrorCode::usage, "cannot cache features")
        .with("found", fmt::format("{} {}", what, found))
        .with("expected", expected);
  };
  if (settings.every < 1) refuse("the whole network at one call in", settings.every, "a number from 1");
  if (settings.every == 1) return;
  const auto most = static_cast<int>(unet.skip_count()) - 1;
  if (settings.depth < 1 || settings.depth > most) {
    refuse("depth", settings.depth,
           fmt::format("1 to {}: the model's network has {} layers on its way up", most, most + 1));
  }
}

}  // namespace maquette::diffusion
