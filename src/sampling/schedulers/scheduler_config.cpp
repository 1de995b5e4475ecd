// Reading scheduler_config.json. Names, defaults and which class has which option: diffusers 0.42, the
// constructors of its scheduler classes.
#include "sampling/schedulers/scheduler_config.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace maquette::sampling {

namespace {

struct ClassName {
  SchedulerClass scheduler;
  std::string_view name;
};

constexpr std::array kClassNames = {
    ClassName{SchedulerClass::ddim, "DDIMScheduler"},
    ClassName{SchedulerClass::ddpm, "DDPMScheduler"},
    ClassName{SchedulerClass::pndm, "PNDMScheduler"},
    ClassName{SchedulerClass::lms, "LMSDiscreteScheduler"},
    ClassName{SchedulerClass::euler, "EulerDiscreteScheduler"},
    ClassName{SchedulerClass::euler_ancestral, "EulerAncestralDiscreteScheduler"},
    ClassName{SchedulerClass::heun, "HeunDiscreteScheduler"},
    ClassName{SchedulerClass::kdpm2, "KDPM2DiscreteScheduler"},
    ClassName{SchedulerClass::kdpm2_ancestral, "KDPM2AncestralDiscreteScheduler"},
    ClassName{SchedulerClass::dpm_multistep, "DPMSolverMultistepScheduler"},
    ClassName{SchedulerClass::dpm_singlestep, "DPMSolverSinglestepScheduler"},
    ClassName{SchedulerClass::dpm_sde, "DPMSolverSDEScheduler"},
    ClassName{SchedulerClass::unipc, "UniPCMultistepScheduler"},
    ClassName{SchedulerClass::deis, "DEISMultistepScheduler"},
    ClassName{SchedulerClass::lcm, "LCMScheduler"},
    ClassName{SchedulerClass::tcd, "TCDScheduler"},
    ClassName{SchedulerClass::ipndm, "IPNDMScheduler"},
};

// What a class understands beyond the options that all share.
struct ClassTraits {
  bool sigma_rules;        // use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas
  bool spacing;            // timestep_spacing
  bool zero_terminal_snr;  // rescale_betas_zero_snr
  bool predicts_sample;    // prediction_type "sample"
};

ClassTraits traits(SchedulerClass c) {
  switch (c) {
    case SchedulerClass::ddim:
    case SchedulerClass::ddpm: return {false, true, true, true};
    case SchedulerClass::pndm: return {false, true, false, false};
    case SchedulerClass::lms: return {true, true, false, true};
    case SchedulerClass::euler: return {true, true, true, true};
    case SchedulerClass::euler_ancestral: return {false, true, true, false};
    case SchedulerClass::heun: return {true, true, false, true};
    case SchedulerClass::kdpm2: return {true, true, false, false};
    case SchedulerClass::kdpm2_ancestral: return {true, true, false, false};
    case SchedulerClass::dpm_multistep: return {true, true, true, true};
    case SchedulerClass::dpm_singlestep: return {true, false, false, true};
    case SchedulerClass::dpm_sde: return {true, true, false, false};
    case SchedulerClass::unipc: return {true, true, true, true};
    case SchedulerClass::deis: return {true, true, false, true};
    case SchedulerClass::lcm:
    case SchedulerClass::tcd: return {false, false, true, true};
    case SchedulerClass::ipndm: return {false, false, false, false};
  }
  return {};
}

SchedulerConfig defaults(SchedulerClass c) {
  SchedulerConfig config;
  config.scheduler = c;
  config.betas = {
      .train_timesteps = 1000, .beta_start = 0.0001, .beta_end = 0.02, .schedule = "linear", .trained = {}};
  switch (c) {
    case SchedulerClass::ddim:
    case SchedulerClass::ddpm: config.clip_sample = true; break;
    case SchedulerClass::pndm: config.set_alpha_to_one = false; break;
    case SchedulerClass::heun:
    case SchedulerClass::kdpm2:
    case SchedulerClass::kdpm2_ancestral:
    case SchedulerClass::dpm_sde:
      config.betas.beta_start = 0.00085;
      config.betas.beta_end = 0.012;
      config.spacing = Spacing::linspace;
      break;
    case SchedulerClass::lms:
    case SchedulerClass::euler:
    case SchedulerClass::euler_ancestral:
    case SchedulerClass::dpm_multistep:
    case SchedulerClass::unipc:
    case SchedulerClass::deis: config.spacing = Spacing::linspace; break;
    case SchedulerClass::dpm_singlestep:
      config.spacing = Spacing::linspace;
      config.lower_order_final = false;
      break;
    case SchedulerClass::lcm:
    case SchedulerClass::tcd:
      config.betas = {.train_timesteps = 1000,
                      .beta_start = 0.00085,
                      .beta_end = 0.012,
                      .schedule = "scaled_linear",
                      .trained = {}};
      break;
    case SchedulerClass::ipndm: break;
  }
  return config;
}

Error bad_value(std::string_view key, const Json& value, std::string_view expected) {
  Error error(ErrorCode::bad_file, "cannot use the scheduler configuration");
  error.with("option", key).with("found", value.dump().substr(0, 60)).with("expected", expected);
  return error;
}

// Reads options of the JSON object into fields, leaving a field alone where the key is missing or null.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  const Json* find(std::string_view key) const {
    if (!json_.is_object()) return nullptr;
    const auto it = json_.find(std::string(key));
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  void boolean(std::string_view key, bool& field) const {
    if (const Json* v = find(key)) {
      if (!v->is_boolean()) throw bad_value(key, *v, "true or false");
      field = v->get<bool>();
    }
  }
  template <typename T>
  void number(std::string_view key, T& field, double low, double high) const {
    if (const Json* v = find(key)) {
      if (!v->is_number() || !(v->get<double>() >= low && v->get<double>() <= high)) {
        throw bad_value(key, *v, fmt::format("a number from {} to {}", low, high));
      }
      field = static_cast<T>(v->get<double>());
    }
  }
  std::optional<double> optional_number(std::string_view key) const {
    const Json* v = find(key);
    return v && v->is_number() ? std::optional(v->get<double>()) : std::nullopt;
  }
  std::string text(std::string_view key, std::string_view missing) const {
    const Json* v = find(key);
    if (!v) return std::string(missing);
    if (!v->is_string()) throw bad_value(key, *v, "text");
    return v->get<std::string>();
  }
  // One of the named values.
  template <typename T>
  void choice(std::string_view key, T& field,
              std::initializer_list<std::pair<std::string_view, T>> values) const {
    const Json* v = find(key);
    if (!v) return;
    std::string expected;
    for (const auto& [word, value] : values) {
      if (v->is_string() && v->get<std::string>() == word) {
        field = value;
        return;
      }
      expected += (expected.empty() ? "" : ", ") + std::string(word);
    }
    throw bad_value(key, *v, expected);
  }

 private:
  const Json& json_;
};

void read_betas(const Reader& read, BetaSettings& betas) {
  read.number("num_train_timesteps", betas.train_timesteps, 2, 1e6);
  read.number("beta_start", betas.beta_start, 0, 1);
  read.number("beta_end", betas.beta_end, 0, 1);
  betas.schedule = read.text("beta_schedule", betas.schedule);
  if (const Json* trained = read.find("trained_betas")) {
    if (!trained->is_array() || trained->size() < 2 || trained->size() > 1000000) {
      throw bad_value("trained_betas", *trained, "a list of 2 to 1000000 numbers");
    }
    for (const Json& beta : *trained) {
      if (!beta.is_number()) throw bad_value("trained_betas", beta, "a number");
      betas.trained.push_back(beta.get<float>());
    }
  }
}

void read_sigma_rule(const Reader& read, SchedulerConfig& config) {
  bool karras = false, exponential = false, beta = false, lu = false;
  read.boolean("use_karras_sigmas", karras);
  read.boolean("use_exponential_sigmas", exponential);
  read.boolean("use_beta_sigmas", beta);
  if (config.scheduler == SchedulerClass::dpm_multistep) read.boolean("use_lu_lambdas", lu);
  if (karras + exponential + beta > 1) {
    throw Error(ErrorCode::bad_file, "cannot use the scheduler configuration")
        .with("found", "more than one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas");
  }
  config.sigma_rule = karras        ? SigmaRule::karras
                      : lu          ? SigmaRule::lu
                      : exponential ? SigmaRule::exponential
                      : beta        ? SigmaRule::beta
                                    : SigmaRule::interpolated;
}

// Solvers borrow each other's options: a value that belongs to another class counts as the class's own
// default.
void read_solver(const Reader& read, SchedulerConfig& config) {
  read.number("solver_order", config.solver_order, 1, 3);
  if (config.scheduler == SchedulerClass::dpm_multistep ||
      config.scheduler == SchedulerClass::dpm_singlestep) {
    read.choice("algorithm_type", config.algorithm,
                {{"dpmsolver++", DpmAlgorithm::dpmsolver_pp},
                 {"dpmsolver", DpmAlgorithm::dpmsolver},
                 {"sde-dpmsolver++", DpmAlgorithm::sde_dpmsolver_pp},
                 {"sde-dpmsolver", DpmAlgorithm::sde_dpmsolver},
                 {"deis", DpmAlgorithm::dpmsolver_pp}});
    read.choice("solver_type", config.heun,
                {{"midpoint", false}, {"heun", true}, {"logrho", false}, {"bh1", false}, {"bh2", false}});
  } else if (config.scheduler == SchedulerClass::unipc) {
    read.choice("solver_type", config.bh1,
                {{"bh1", true}, {"bh2", false}, {"midpoint", false}, {"heun", false}, {"logrho", false}});
  }
  read.boolean("lower_order_final", config.lower_order_final);
  read.boolean("euler_at_final", config.euler_at_final);
  read.boolean("predict_x0", config.predict_x0);
  if (const auto lambda = read.optional_number("lambda_min_clipped")) config.lambda_min_clipped = *lambda;
  if (const Json* list = read.find("disable_corrector")) {
    if (!list->is_array() || list->size() > 10000)
      throw bad_value("disable_corrector", *list, "a list of steps");
    for (const Json& step : *list) {
      if (!step.is_number_integer()) throw bad_value("disable_corrector", step, "a whole number");
      config.disable_corrector.push_back(step.get<int>());
    }
  }
  for (const std::string_view key : {"use_flow_sigmas", "use_dynamic_shifting"}) {
    bool flow = false;
    read.boolean(key, flow);
    if (flow) throw bad_value(key, *read.find(key), "false (flow matching models are not supported)");
  }
}

void read_class_options(const Reader& read, SchedulerConfig& config) {
  const ClassTraits has = traits(config.scheduler);
  if (has.spacing) {
    read.choice(
        "timestep_spacing", config.spacing,
        {{"linspace", Spacing::linspace}, {"leading", Spacing::leading}, {"trailing", Spacing::trailing}});
  }
  if (has.zero_terminal_snr) read.boolean("rescale_betas_zero_snr", config.zero_terminal_snr);
  if (has.sigma_rules) read_sigma_rule(read, config);
  config.sigma_min = read.optional_number("sigma_min");
  config.sigma_max = read.optional_number("sigma_max");
  read.number("steps_offset", config.steps_offset, -1000, 1000);
  read.boolean("set_alpha_to_one", config.set_alpha_to_one);
  read.boolean("clip_sample", config.clip_sample);
  read.number("clip_sample_range", config.clip_sample_range, 0, 1e9);
  read.boolean("thresholding", config.thresholding);
  read.number("dynamic_thresholding_ratio", config.dynamic_thresholding_ratio, 0, 1);
  read.number("sample_max_value", config.sample_max_value, 0, 1e9);
  read.boolean("skip_prk_steps", config.skip_prk_steps);
  read.number("original_inference_steps", config.original_inference_steps, 1, 1e6);
  read.number("timestep_scaling", config.timestep_scaling, 0, 1e9);
  if (config.scheduler == SchedulerClass::euler) {
    read.choice("interpolation_type", config.log_linear_sigmas, {{"linear", false}, {"log_linear", true}});
    read.choice("timestep_type", config.continuous_timesteps, {{"discrete", false}, {"continuous", true}});
  }
  read.choice("final_sigmas_type", config.final_sigma,
              {{"zero", FinalSigma::zero}, {"sigma_min", FinalSigma::sigma_min}});
  if (config.scheduler == SchedulerClass::ddpm) {
    read.choice("variance_type", config.variance_type,
                {{"fixed_small", VarianceType::fixed_small},
                 {"fixed_small_log", VarianceType::fixed_small_log},
                 {"fixed_large", VarianceType::fixed_large}});
  }
  if (const auto seed = read.optional_number("noise_sampler_seed")) {
    config.noise_sampler_seed = static_cast<uint64_t>(*seed);
  }
}

// The wish for a schedule, in the options that the documentation of diffusers gives for it.
void apply_schedule(Schedule schedule, SchedulerConfig& config) {
  const ClassTraits has = traits(config.scheduler);
  const auto refuse = [&]() {
    throw Error(ErrorCode::usage, "cannot use the schedule {} with {} in the diffusers dialect",
                name(schedule), name(config.scheduler))
        .hint("leave the schedule out, or choose the a1111 or comfy dialect");
  };
  const auto rule = [&](SigmaRule wanted) {
    if (!has.sigma_rules) refuse();
    config.sigma_rule = wanted;
  };
  const auto spacing = [&](Spacing wanted) {
    if (!has.spacing && !(config.scheduler == SchedulerClass::dpm_singlestep && wanted == Spacing::linspace))
      refuse();
    config.spacing = wanted;
  };
  switch (schedule) {
    case Schedule::automatic: return;
    case Schedule::karras: rule(SigmaRule::karras); return;
    case Schedule::exponential:
    case Schedule::beta:
      rule(schedule == Schedule::beta ? SigmaRule::beta : SigmaRule::exponential);
      if (has.spacing) spacing(Spacing::linspace);
      return;
    case Schedule::normal: spacing(Spacing::linspace); break;
    case Schedule::ddim_uniform: spacing(Spacing::leading); break;
    case Schedule::sgm_uniform:
    case Schedule::simple: spacing(Spacing::trailing); break;
    default: refuse();
  }
  config.sigma_rule = SigmaRule::interpolated;
}

// What the pipeline changes in the configuration of the class that the file names.
void apply_pipeline_corrections(const SchedulerRequest& request, const Reader& read,
                                SchedulerConfig& config) {
  const auto own = find_scheduler_class(read.text("_class_name", name(request.scheduler)));
  const bool same_class = own == request.scheduler;
  const auto reaches = [&](std::string_view key) { return same_class || read.find(key) != nullptr; };
  if (reaches("steps_offset")) config.steps_offset = 1;
  const bool mask = request.corrections == PipelineCorrections::mask;
  if (!mask && reaches("clip_sample")) config.clip_sample = false;
  if (mask && reaches("skip_prk_steps")) config.skip_prk_steps = true;
}

}  // namespace

std::string_view name(Prediction prediction) {
  switch (prediction) {
    case Prediction::epsilon: return "epsilon";
    case Prediction::v_prediction: return "v_prediction";
    case Prediction::sample: return "sample";
  }
  return "";
}

Prediction parse_prediction(std::string_view text) {
  if (text == "epsilon" || text == "eps") return Prediction::epsilon;
  if (text == "v_prediction" || text == "v-prediction" || text == "v") return Prediction::v_prediction;
  if (text == "sample" || text == "original_sample" || text == "x0") return Prediction::sample;
  throw Error(ErrorCode::bad_file, "there is no prediction type \"{}\"", text)
      .with("expected", "epsilon, v_prediction or sample");
}

std::string_view name(SchedulerClass c) {
  for (const ClassName& entry : kClassNames) {
    if (entry.scheduler == c) return entry.name;
  }
  return "";
}

std::optional<SchedulerClass> find_scheduler_class(std::string_view class_name) {
  for (const ClassName& entry : kClassNames) {
    const std::string_view stem = entry.name.substr(0, entry.name.size() - 9);
    if (class_name == entry.name || class_name == stem) return entry.scheduler;
  }
  return std::nullopt;
}

SchedulerConfig read_scheduler_config(const SchedulerRequest& request) {
  SchedulerConfig config = defaults(request.scheduler);

  // Keys that were only defaults when the file was written take this class's defaults instead.
  Json json = request.config.is_object() ? request.config : Json::object();
  if (const auto used = json.find("_use_default_values"); used != json.end() && used->is_array()) {
    const Json names = *used;
    for (const Json& key : names) {
      if (key.is_string()) json.erase(key.get<std::string>());
    }
  }
  const Reader read(json);
  if (request.scheduler == SchedulerClass::ipndm) {
    // This class has a cosine schedule of its own and predicts a velocity: no option of the file reaches it.
    apply_schedule(request.schedule.schedule, config);
    return config;
  }
  read_betas(read, config.betas);
  config.prediction = parse_prediction(read.text("prediction_type", "epsilon"));
  read_class_options(read, config);
  read_solver(read, config);
  if (request.corrections != PipelineCorrections::none) apply_pipeline_corrections(request, read, config);

  // What the user asked for comes last.
  if (request.prediction) config.prediction = *request.prediction;
  if (request.zero_terminal_snr) config.zero_terminal_snr = *request.zero_terminal_snr;
  if (request.schedule.schedule != Schedule::custom && request.schedule.schedule != Schedule::ays) {
    apply_schedule(request.schedule.schedule, config);
  }

  const ClassTraits has = traits(request.scheduler);
  if (config.zero_terminal_snr && !has.zero_terminal_snr) {
    throw Error(ErrorCode::usage, "cannot use zero terminal SNR with {}", name(request.scheduler))
        .hint("euler, ddim, dpm++2m and unipc support it");
  }
  if (config.prediction == Prediction::sample && !has.predicts_sample) {
    throw Error(ErrorCode::usage, "cannot use {} with a network that predicts the sample",
                name(request.scheduler));
  }
  return config;
}

Json default_scheduler_config(std::string_view family) {
  Json config = {{"_class_name", "PNDMScheduler"},
                 {"beta_start", 0.00085},
                 {"beta_end", 0.012},
                 {"beta_schedule", "scaled_linear"},
                 {"num_train_timesteps", 1000},
                 {"prediction_type", "epsilon"},
                 {"set_alpha_to_one", false},
                 {"skip_prk_steps", true},
                 {"steps_offset", 1},
                 {"clip_sample", false}};
  if (family == "sd1" || family == "sd2-base") return config;
  if (family == "sd2") {
    config["_class_name"] = "DDIMScheduler";
    config["prediction_type"] = "v_prediction";
    return config;
  }
  config["_class_name"] = "EulerDiscreteScheduler";
  config["interpolation_type"] = "linear";
  config["sample_max_value"] = 1.0;
  config["timestep_spacing"] = "leading";
  config["use_karras_sigmas"] = false;
  if (family == "sdxl" || family == "sdxl-refiner") return config;
  if (family == "sdxl-turbo") {
    config["_class_name"] = "EulerAncestralDiscreteScheduler";
    config["timestep_spacing"] = "trailing";
    return config;
  }
  throw Error(ErrorCode::failed, "there is no default scheduler for the family \"{}\"", family);
}

}  // namespace maquette::sampling
