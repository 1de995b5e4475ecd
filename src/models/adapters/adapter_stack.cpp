// set() makes the list of what every parameter should be, compares it with the list of what it is, and merges
// or restores where they differ. The lists hold modules and strengths, not values, so that comparing is
// cheap. Plain LoRAs are merged by whoever packs the weights, so that nothing is held twice.
#include "models/adapters/adapter_stack.h"

#include <algorithm>
#include <unordered_map>

#include "models/adapters/adapter_keys.h"
#include "models/adapters/merge.h"

namespace maquette::models {

namespace {

// Where a module goes: the parameter's name is component + "/" + name.
struct Placement {
  std::string component;
  std::string parameter;
  Contribution contribution;  // at strength 1
};

struct Match {
  SharedAdapter adapter;
  AdapterReport report;
  std::vector<Placement> placements;
};

// Latent channels of an inpainting (2 n + 1) or editing (2 n) network's first convolution; 0 for other
// layers.
int64_t latent_channels(std::string_view component, std::string_view layer, const Shape& weight) {
  if (component != "unet" || layer != "conv_in" || weight.rank() != 4) return 0;
  return weight[1] / 2;
}

class Matcher {
 public:
  Matcher(const Components& components, const AdapterTargets& targets, const SharedAdapter& adapter)
      : components_(components), targets_(targets) {
    match_.adapter = adapter;
    match_.report.adapter = adapter->name;
    match_.report.kinds = adapter->kinds();
    for (const AdapterModule& module : adapter->modules) {
      place(std::shared_ptr<const AdapterModule>(adapter, &module));
    }
    for (const Adapter::Unknown& unknown : adapter->unknown) {
      match_.report.unmatched.push_back({.key = unknown.key, .reason = unknown.reason});
    }
    match_.report.hint = family_hint(*adapter);
  }
  Match take() { return std::move(match_); }

 private:
  void place(const std::shared_ptr<const AdapterModule>& shared) {
    const AdapterModule& module = *shared;
    const AdapterTarget target = targets_.find(module.key);
    if (!target) {
      miss(module.key, "the model has no such layer");
      return;
    }
    const size_t misses = match_.report.unmatched.size();
    if (module.weight) place_weight(shared, target);
    if (module.bias) place_bias(shared, target);
    if (match_.report.unmatched.size() == misses)
      match_.report.matched.push_back(weights::printable(module.key));
  }

  void place_weight(const std::shared_ptr<const AdapterModule>& shared, const AdapterTarget& target) {
    const AdapterModule& module = *shared;
    const std::string name = target.layer + ".weight";
    const nn::Parameter* parameter = components_.at(target.component).find(name);
    if (!parameter) {
      miss(module.key, "the layer has no weight");
      return;
    }
    const auto misfit = misfit_of(module, parameter->shape);
    int64_t channels = 0;
    if (misfit) {
      // An adapter for the plain network on one that takes a mask and a picture besides: their channels stay.
      channels = latent_channels(target.component, target.layer, parameter->shape);
      Shape plain = parameter->shape;
      if (channels > 0) plain.set(1, channels);
      if (channels == 0 || misfit_of(module, plain)) {
        miss(module.key, "it is for a layer of another size", misfit);
        return;
      }
    }
    match_.placements.push_back(
        {target.component, name, {.module = shared, .bias = false, .channels = channels}});
  }

  void place_bias(const std::shared_ptr<const AdapterModule>& shared, const AdapterTarget& target) {
    const AdapterModule& module = *shared;
    const std::string name = target.layer + ".bias";
    const nn::Parameter* parameter = components_.at(target.component).find(name);
    if (!parameter) {
      if (module.needs_bias) miss(module.key, "the layer has no bias");
    } else if (const auto misfit = module.bias->misfit(parameter->shape)) {
      miss(module.key, "it is for a layer of another size", misfit);
    } else {
      match_.placements.push_back({target.component, name, {.module = shared, .bias = true}});
    }
  }

  void miss(const std::string& key, std::string_view reason,
            const std::optional<Misfit>& misfit = std::nullopt) {
    match_.report.unmatched.push_back({.key = weights::printable(key),
                                       .reason = std::string(reason),
                                       .found = misfit ? misfit->found : "",
                                       .expected = misfit ? misfit->expected : ""});
  }

  // The text width that the adapter's cross attentions take, against the model's: the surest sign of another
  // family.
  std::string family_hint(const Adapter& adapter) const {
    const auto wide_name = [](int64_t width) {
      return width == 768    ? "SD1"
             : width == 1024 ? "SD2"
             : width == 2048 ? "SDXL"
             : width == 1280 ? "SDXL refiner"
                             : "";
    };
    int64_t own = 0;
    const auto unet = components_.find("unet");
    if (unet == components_.end()) return {};
    for (const auto& [name, parameter] : unet->second.all()) {
      if (name.ends_with("attn2.to_k.weight")) own = parameter.shape[1];
    }
    for (const AdapterModule& module : adapter.modules) {
      if (!module.weight || !flattened(module.key).ends_with("attn2_to_k")) continue;
      const int64_t width = module.weight->is_product() ? module.weight->factors({})->down.size(1) : 0;
      if (width == 0 || width == own) continue;
      const std::string_view family = wide_name(width);
      return fmt::format("it was made for a text width of {}{}{}{}, the model's is {}", width,
                         family.empty() ? "" : " (", family, family.empty() ? "" : ")", own);
    }
    return {};
  }

  const Components& components_;
  const AdapterTargets& targets_;
  Match match_;
};

// A parameter that is not the model's own at the moment.
struct Changed {
  Tensor original;
  DType type = DType::f32;  // of what the network holds now
  Tensor merged;            // where it was computed at once: its memory serves again for the next merge
  std::vector<Contribution> contributions;
};

// Layers keep the tensor that is written to them, except small ones (biases, norms, position embeddings),
// which copy it into memory that read() shows: there the original must be copied before it is overwritten.
Tensor original_of(const nn::Parameter& parameter) {
  constexpr int64_t kMostSharedElements = int64_t{1} << 18;
  Tensor original = parameter.read();
  if (original.dtype() != DType::f32 || original.elements() > kMostSharedElements) return original;
  Tensor copy = original.clone();
  parameter.write(copy);
  if (parameter.read().raw() == original.raw()) return copy;
  parameter.write(original);
  return original;
}

}  // namespace

struct AdapterStack::State {
  using Name = std::pair<std::string, std::string>;  // component, parameter

  explicit State(const Components& components) : components(&components), targets(components) {}

  const Match& match_of(const SharedAdapter& adapter) {
    const auto found = std::ranges::find(matches, adapter, &Match::adapter);
    if (found != matches.end()) return *found;
    matches.push_back(Matcher(*components, targets, adapter).take());
    return matches.back();
  }
  const nn::Parameter& parameter(const Name& name) const {
    return *components->at(name.first).find(name.second);
  }
  void merge(const Name& name, std::vector<Contribution> wanted, DType type);

  const Components* components;
  AdapterTargets targets;
  std::vector<Match> matches;
  std::map<Name, Changed> changed;
};

void AdapterStack::State::merge(const Name& name, std::vector<Contribution> wanted, DType type) {
  const nn::Parameter& target = parameter(name);
  Changed& entry = changed[name];
  if (!entry.original.defined()) entry.original = original_of(target);
  entry.contributions.clear();  // until the writes below the parameter is neither the old nor the new
  entry.type = type;
  if (are_product(wanted)) {
    entry.merged = {};
    target.write(merged_when_packed(entry.original, wanted, type));
  } else {
    if (!entry.merged.defined() || entry.merged.dtype() != type) {
      entry.merged = Tensor::empty(target.shape, type);
    }
    merge_into(entry.original, wanted, entry.merged);
    target.write(entry.merged);
  }
  entry.contributions = std::move(wanted);
}

AdapterStack::AdapterStack(const Components& components) : state_(std::make_unique<State>(components)) {}
AdapterStack::~AdapterStack() = default;
AdapterStack::AdapterStack(AdapterStack&&) noexcept = default;
AdapterStack& AdapterStack::operator=(AdapterStack&&) noexcept = default;

AdapterReport AdapterStack::match(const SharedAdapter& adapter) { return state_->match_of(adapter).report; }

size_t AdapterStack::changed() const { return state_->changed.size(); }

MergeCounts AdapterStack::set(std::span<const AdapterUse> uses, const MergeOptions& options) {
  State& state = *state_;
  MergeCounts counts;

  // What each parameter should be made of.
  std::map<State::Name, std::vector<Contribution>> wanted;
  for (const AdapterUse& use : uses) {
    for (const Placement& placement : state.match_of(use.adapter).placements) {
      Contribution contribution = placement.contribution;
      contribution.strength =
          static_cast<float>(placement.component == "unet" ? use.unet_weight : use.text_weight);
      if (contribution.strength == 0) continue;
      wanted[{placement.component, placement.parameter}].push_back(contribution);
    }
  }

  // Those that should be the model's own again.
  for (auto entry = state.changed.begin(); entry != state.changed.end();) {
    if (wanted.contains(entry->first)) {
      ++entry;
      continue;
    }
    state.parameter(entry->first).write(entry->second.original);
    entry = state.changed.erase(entry);
    ++counts.restored;
  }

  // Those that should be something else.
  for (auto& [name, contributions] : wanted) {
    const bool small = state.parameter(name).shape.rank() < 2;
    const DType type = name.first == "unet" && !small ? options.unet_type : DType::f32;
    const auto now = state.changed.find(name);
    if (now != state.changed.end() && now->second.contributions == contributions &&
        now->second.type == type) {
      ++counts.unchanged;
      continue;
    }
    state.merge(name, std::move(contributions), type);
    ++counts.merged;
  }

  // Adapters that are not worn any more are forgotten (their files stay open as long as somebody holds them).
  std::erase_if(state.matches, [&](const Match& match) {
    return std::ranges::find(uses, match.adapter, &AdapterUse::adapter) == uses.end();
  });
  return counts;
}

// --------------------------------------------------------------------------------------------------- reports

namespace {

std::string first_few(const std::vector<AdapterReport::Unmatched>& unmatched) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(unmatched.size(), kShown); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", unmatched[i].key);
  }
  if (unmatched.size() > kShown) text += fmt::format(" and {} more", unmatched.size() - kShown);
  return text;
}

}  // namespace

std::string AdapterReport::text() const {
  std::string line = fmt::format("{}: {}, {} modules", adapter, kinds, matched.size());
  if (!unmatched.empty()) line += fmt::format(", {} unmatched: {}", unmatched.size(), first_few(unmatched));
  return line;
}

void require_matched(const AdapterReport& report) {
  if (report.unmatched.empty()) return;
  const AdapterReport::Unmatched& first = report.unmatched.front();
  Error error(ErrorCode::weights, "cannot apply all of the adapter \"{}\" to this model", report.adapter);
  error.with("unmatched",
             fmt::format("{} of {}: {}", report.unmatched.size(),
                         report.unmatched.size() + report.matched.size(), first_few(report.unmatched)));
  error.with("because", first.reason);
  if (!first.found.empty()) error.with("found", first.found).with("expected", first.expected);
  error.hint("{}{}--allow-unmatched applies the rest", report.hint, report.hint.empty() ? "" : "; ");
  throw error;
}

}  // namespace maquette::models
