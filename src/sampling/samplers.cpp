// Every sampler of the program, in the order of `maquette generate --help`. A new one is a file under
// samplers/ and a line here; the tests run over this table.
#include "sampling/samplers.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::sampling {

namespace {

constexpr auto kNormal = Schedule::normal;
constexpr auto kKarras = Schedule::karras;
constexpr auto kExponential = Schedule::exponential;

// Name, k-diffusion's form, diffusers' class, order, A1111's "Automatic", traits, description, aliases
// (A1111's, ComfyUI's and others; the classes of diffusers are understood besides).
const std::vector<SamplerEntry>& table() {
  using S = SchedulerClass;
  // A few lines for each sampler, kept by hand.
  // clang-format off
  static const std::vector<SamplerEntry> entries = {
      {"ddim", sample_ddim, S::ddim, 1, kNormal, kA1111Timesteps,
       "first order, deterministic; eta adds noise", {"k_ddim"}},
      {"ddpm", sample_ddpm, S::ddpm, 1, kNormal, kStochastic,
       "the original ancestral sampler; wants many steps", {}},
      {"pndm", sample_plms, S::pndm, 2, kNormal, kA1111Timesteps,
       "linear multistep, the first default of Stable Diffusion", {"plms"}},
      {"lms", sample_lms, S::lms, 3, kNormal, kPlain,
       "linear multistep of order 4 for uneven steps", {"k_lms"}},
      {"euler", sample_euler, S::euler, 1, kNormal, kPlain,
       "first order, simple and robust", {"k_euler"}},
      {"euler-a", sample_euler_ancestral, S::euler_ancestral, 1, kNormal, kStochastic,
       "Euler with new noise in every step: soft, never settles",
       {"euler_ancestral", "k_euler_a", "k_euler_ancestral"}},
      {"heun", sample_heun, S::heun, 2, kNormal, kPlain,
       "second order, two network calls per step", {"k_heun"}},
      {"dpm2", sample_dpm2, S::kdpm2, 2, kKarras, kA1111Discards | kComfyDiscards,
       "midpoint method, two network calls per step", {"dpm_2", "k_dpm_2"}},
      {"dpm2-a", sample_dpm2_ancestral, S::kdpm2_ancestral, 2, kKarras,
       kStochastic | kA1111Discards | kComfyDiscards,
       "dpm2 with new noise in every step", {"dpm_2_ancestral", "k_dpm_2_a", "k_dpm_2_ancestral"}},
      {"dpm++2s-a", sample_dpmpp_2s_ancestral, S::euler, 2, kKarras, kStochastic | kAlwaysK,
       "second order with new noise, two network calls per step",
       {"dpmpp_2s_ancestral", "dpm++ 2s ancestral", "k_dpmpp_2s_a"}},
      {"dpm++2m", sample_dpmpp_2m, S::dpm_multistep, 2, kKarras, kPlain,
       "second order, one network call per step: good at 20 to 30 steps", {"dpmpp_2m", "k_dpmpp_2m"}},
      {"dpm++sde", sample_dpmpp_sde, S::dpm_singlestep, 2, kKarras, kStochastic | kBrownian,
       "second order with Brownian noise, two network calls per step",
       {"dpmpp_sde", "dpmpp_sde_gpu", "k_dpmpp_sde"}},
      {"dpm++2m-sde", sample_dpmpp_2m_sde, S::dpm_multistep, 2, kExponential, kStochastic | kBrownian,
       "dpm++2m with Brownian noise", {"dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "k_dpmpp_2m_sde"}},
      {"dpm++3m-sde", sample_dpmpp_3m_sde, S::dpm_multistep, 2, kExponential,
       kStochastic | kBrownian | kA1111Discards,
       "third order with Brownian noise, for many steps",
       {"dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "k_dpmpp_3m_sde"}},
      {"unipc", sample_unipc, S::unipc, 2, kNormal, kComfyDiscards | kA1111Timesteps,
       "predictor and corrector, good at 10 to 20 steps", {"uni_pc", "uni_pc_bh2", "unipc bh2"}},
      {"deis", sample_deis, S::deis, 3, kNormal, kPlain,
       "exponential integrator, multistep", {}},
      {"lcm", sample_lcm, S::lcm, 1, kNormal, kStochastic,
       "for networks distilled to 2 to 8 steps", {"k_lcm"}},
      {"tcd", sample_tcd, S::tcd, 1, kNormal, kStochastic,
       "for networks distilled by trajectory consistency", {}},
      {"ipndm", sample_ipndm, S::ipndm, 2, kNormal, kPlain,
       "multistep; its diffusers class has a schedule that Stable Diffusion was not trained on", {}},
      {"restart", sample_restart, S::euler, 2, kKarras, kStochastic | kAlwaysK,
       "Heun steps that walk a stretch again with new noise", {}},
  };
  // clang-format on
  return entries;
}

// Lower case without spaces, hyphens, underscores; "dpmpp" and "a" spelled as ours.
std::string squeezed(std::string_view text) {
  std::string out = lower_ascii(text);
  std::erase_if(out, [](char c) { return c == ' ' || c == '-' || c == '_'; });
  for (size_t at = out.find("dpmpp"); at != std::string::npos; at = out.find("dpmpp"))
    out.replace(at, 5, "dpm++");
  return out;
}

const SamplerEntry* find_squeezed(std::string_view wanted) {
  for (const SamplerEntry& entry : table()) {
    if (wanted == squeezed(entry.name)) return &entry;
    for (const std::string_view alias : entry.aliases) {
      if (wanted == squeezed(alias)) return &entry;
    }
  }
  return nullptr;
}

// A class of diffusers means the first sampler that uses it, run as that class.
const SamplerEntry* find_by_class(SchedulerClass scheduler) {
  for (const SamplerEntry& entry : table()) {
    if (entry.scheduler == scheduler && !entry.has(kAlwaysK)) return &entry;
  }
  if (scheduler == SchedulerClass::dpm_sde) return find_squeezed("dpm++sde");
  return nullptr;
}

bool drop_suffix(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix) || text.size() == suffix.size()) return false;
  text.resize(text.size() - suffix.size());
  return true;
}

}  // namespace

std::span<const SamplerEntry> samplers() { return table(); }

SamplerChoice parse_sampler(std::string_view text) {
  SamplerChoice choice;
  if (const auto scheduler = find_scheduler_class(trim(text))) {
    choice.entry = find_by_class(*scheduler);
    choice.scheduler = *scheduler;
    return choice;
  }

  std::string wanted = squeezed(trim(text));
  if (wanted.find("bh2") != std::string::npos) {
    choice.bh1 = false;
  } else if (wanted == "unipc") {
    choice.bh1 = true;
  }
  choice.entry = find_squeezed(wanted);
  if (choice.entry) return choice;

  // Old versions of A1111 name the schedule after the sampler.
  if (drop_suffix(wanted, "karras")) choice.schedule = Schedule::karras;
  if (!choice.schedule && drop_suffix(wanted, "exponential")) choice.schedule = Schedule::exponential;
  choice.heun = wanted == "dpm++2msdeheun" && drop_suffix(wanted, "heun");
  choice.entry = find_squeezed(wanted);
  if (choice.entry) return choice;

  std::vector<std::string> names;
  for (const SamplerEntry& entry : table()) names.emplace_back(entry.name);
  Error error(ErrorCode::usage, "there is no sampler \"{}\"", trim(text));
  error.with("expected", fmt::format("{}", fmt::join(names, " ")));
  if (const auto meant = did_you_mean(lower_ascii(text), names)) error.hint("did you mean \"{}\"?", *meant);
  throw error;
}

}  // namespace maquette::sampling
