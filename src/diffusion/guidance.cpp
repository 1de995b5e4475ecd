#include "diffusion/guidance.h"

#include <algorithm>
#include <cmath>

#include "models/control/pictures.h"
#include "models/control/t2i_adapter.h"
#include "nn/finite.h"

namespace maquette::diffusion {

namespace {

const PromptMoment& moment_at(const std::vector<PromptMoment>& moments, int call) {
  for (const PromptMoment& moment : moments) {
    if (call < moment.until_call) return moment;
  }
  return moments.back();
}

// a += factor (b - c), f32
void add_difference(Tensor& a, const Tensor& b, const Tensor& c, double factor) {
  const auto f = static_cast<float>(factor);
  auto out = a.data();
  const auto x = b.data();
  const auto y = c.data();
  for (size_t i = 0; i < out.size(); ++i) out[i] += f * (x[i] - y[i]);
}

double standard_deviation(const Tensor& t) {
  const auto values = t.data();
  double mean = 0;
  for (const float v : values) mean += v;
  mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const float v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// Guidance widens the distribution; this pulls its deviation back to that of the prompted prediction, by the
// fraction asked for (Lin et al. 2023, eq. 15 and 16).
void rescale(Tensor& guided, const Tensor& prompted, double fraction) {
  const double ratio = standard_deviation(prompted) / std::max(standard_deviation(guided), 1e-12);
  const auto factor = static_cast<float>(fraction * ratio + 1 - fraction);
  for (float& v : guided.data()) v *= factor;
}

double root_mean_square_difference(const Tensor& a, const Tensor& b) {
  const auto x = a.data();
  const auto y = b.data();
  double squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double difference = static_cast<double>(x[i]) - y[i];
    squares += difference * difference;
  }
  return std::sqrt(squares / static_cast<double>(x.size()));
}

// The sampler reads as much as the latent holds, and NaN would end as a black picture.
void check_prediction(const Tensor& prediction, const Shape& expected) {
  if (!(prediction.shape() == expected)) {
    throw Error(ErrorCode::weights, "the UNet's prediction has another shape than the latent")
        .with("found", prediction.shape().text())
        .with("expected", expected.text());
  }
  nn::require_finite(prediction, "the UNet");
}

// Tensors of one row each under each other.
Tensor stack_rows(const std::vector<const Tensor*>& rows) {
  Shape shape = rows[0]->shape();
  shape.set(0, static_cast<int64_t>(rows.size()));
  Tensor out = Tensor::empty(shape);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::ranges::copy(rows[i]->data(),
                      out.rows(static_cast<int64_t>(i), static_cast<int64_t>(i) + 1).data().begin());
  }
  return out;
}

}  // namespace

const PromptMoment& PromptPlan::positive_at(int call) const { return moment_at(positive, call); }
const PromptMoment& PromptPlan::negative_at(int call) const { return moment_at(negative, call); }

GuidedModel::GuidedModel(const models::UNet& unet, kernels::Exec& ex, PromptPlan plan,
                         GuidanceSettings settings)
    : unet_(unet),
      ex_(ex),
      plan_(std::move(plan)),
      settings_(settings),
      feature_cache_(settings.feature_cache) {}

Tensor GuidedModel::operator()(const Tensor& x, const CallPosition& at) {
  if (settings_.image_scale > 0) return edit_guidance(x, at);
  const bool guided = settings_.scale != 1 || settings_.always_negative;
  const PromptMoment& positive = plan_.positive_at(at.call);

  // One prompt at scale 1 needs no negative: half the work is saved.
  if (!guided && positive.parts.size() == 1) {
    return evaluate({{.condition = positive.parts[0].condition}}, x, at)[0];
  }
  std::vector<Member> members{
      {.condition = plan_.negative_at(at.call).parts[0].condition, .positive = false}};
  for (const PromptMoment::Part& part : positive.parts) members.push_back({.condition = part.condition});
  std::vector<Tensor> predictions = evaluate(members, x, at);

  if (prompt_pull_) {
    Tensor prompted = predictions[0].clone();
    for (size_t i = 0; i < positive.parts.size(); ++i)
      add_difference(prompted, predictions[i + 1], predictions[0], positive.parts[i].weight);
    tell_prompt_pull(prompted, predictions[0]);
  }
  Tensor mixed = predictions[0].clone();
  for (size_t i = 0; i < positive.parts.size(); ++i) {
    add_difference(mixed, predictions[i + 1], predictions[0], settings_.scale * positive.parts[i].weight);
  }
  if (settings_.rescale > 0) rescale(mixed, predictions[1], settings_.rescale);
  return mixed;
}

// Three predictions: with neither, with the picture only, with picture and prompt.
Tensor GuidedModel::edit_guidance(const Tensor& x, const CallPosition& at) {
  const size_t positive = plan_.positive_at(at.call).parts[0].condition;
  const size_t negative = plan_.negative_at(at.call).parts[0].condition;
  const std::vector<Tensor> predictions =
      evaluate({{.condition = positive},
                {.condition = negative, .positive = false},
                {.condition = negative, .with_picture = false, .positive = false}},
               x, at);
  tell_prompt_pull(predictions[0], predictions[1]);
  Tensor mixed = predictions[2].clone();
  add_difference(mixed, predictions[0], predictions[1], settings_.scale);
  add_difference(mixed, predictions[1], predictions[2], settings_.image_scale);
  if (settings_.rescale > 0) rescale(mixed, predictions[0], settings_.rescale);
  return mixed;
}

void GuidedModel::tell_prompt_pull(const Tensor& prompted, const Tensor& negative) const {
  if (prompt_pull_) prompt_pull_(root_mean_square_difference(prompted, negative));
}

std::vector<Tensor> GuidedModel::evaluate(const std::vector<Member>& members, const Tensor& x,
                                          const CallPosition& at) {
  // Prompts of one length go through the network together.
  std::map<int64_t, std::vector<size_t>> by_length;
  for (size_t i = 0; i < members.size(); ++i) {
    by_length[plan_.conditions[members[i].condition].tokens.size(1)].push_back(i);
  }
  std::vector<Tensor> predictions(members.size());
  for (const auto& [length, indices] : by_length) {
    std::vector<Member> batch;
    for (const size_t i : indices) batch.push_back(members[i]);
    const nn::CrossContext& context = context_of(batch, at.step);

    models::UNetInput input{.latent = input_of(batch, x), .timesteps = {at.timestep}, .text = &context};
    if (plan_.conditions[batch[0].condition].added.defined()) {
      std::vector<const Tensor*> rows;
      for (const Member& member : batch) rows.push_back(&plan_.conditions[member.condition].added);
      input.added = stack_rows(rows);
    }
    if (unet_.guidance_width() > 0) {
      const double w[] = {(settings_.embedded_scale - 1) * 1000};
      const Tensor one = nn::sinusoidal_embedding(w, unet_.guidance_width(), /*cosines_first=*/false, 1);
      input.guidance_embedding = stack_rows(std::vector<const Tensor*>(batch.size(), &one));
    }
    std::vector<size_t> owner = key_of(batch, at.step);
    owner.push_back(at.tile);
    input.deep = feature_cache_.features_for(owner, {.call = at.call, .timestep = at.timestep});
    models::Residuals residuals;
    if (control_) {
      ControlCall call{.input = input, .positive = {}, .step = at.step};
      for (const Member& member : batch) call.positive.push_back(member.positive ? 1.0f : 0.0f);
      residuals = control_(ex_, call);
      input.control = &residuals;
    }
    const std::vector<Tensor> states = adapter_states_for(input.latent.size(0), at.step);
    if (!states.empty()) input.adapter_states = &states;

    const Tensor out = unet_(ex_, input);
    check_prediction(out, {input.latent.size(0), x.size(1), x.size(2), x.size(3)});
    for (size_t i = 0; i < indices.size(); ++i) {
      predictions[indices[i]] = out.rows(static_cast<int64_t>(i), static_cast<int64_t>(i) + 1);
    }
  }
  return predictions;
}

// The features of the T2I-Adapters whose steps these are, once per picture of the batch.
std::vector<Tensor> GuidedModel::adapter_states_for(int64_t batch, int step) {
  std::vector<Tensor> sum;
  for (const AdapterStates& adapter : adapters_) {
    if (adapter.steps.contains(step)) models::add_features(ex_, sum, adapter.states, 1, 1);
  }
  for (Tensor& state : sum) state = models::repeat_pictures(ex_, state, batch);
  return sum;
}

// Who sees what: picture prompts in force, then each member of the batch.
std::vector<size_t> GuidedModel::key_of(const std::vector<Member>& members, int step) const {
  std::vector<size_t> key;
  for (const StepRange& steps : plan_.conditions[members[0].condition].picture_steps)
    key.push_back(steps.contains(step) ? 1 : 0);
  for (const Member& member : members)
    key.push_back(4 * member.condition + (member.with_picture ? 2 : 0) + (member.positive ? 1 : 0));
  return key;
}

const nn::CrossContext& GuidedModel::context_of(const std::vector<Member>& members, int step) {
  const Condition& first = plan_.conditions[members[0].condition];
  std::vector<size_t> key = key_of(members, step);
  const auto found = contexts_.find(key);
  if (found != contexts_.end()) return found->second;

  std::vector<const Tensor*> rows;
  for (const Member& member : members) rows.push_back(&plan_.conditions[member.condition].tokens);
  nn::CrossContext context(kernels::convert(ex_, stack_rows(rows), ex_.activations));
  for (size_t p = 0; p < first.picture_tokens.size(); ++p) {
    std::vector<const Tensor*> pictures;
    for (const Member& member : members)
      pictures.push_back(&plan_.conditions[member.condition].picture_tokens[p]);
    context.pictures.push_back(
        {.tokens = kernels::convert(ex_, stack_rows(pictures), ex_.activations),
         .weight = first.picture_steps[p].contains(step) ? first.picture_weights[p] : 0});
  }
  // Regions hide parts of a positive prompt from parts of the picture; a negative sees everything.
  const int64_t n = static_cast<int64_t>(members.size());
  for (const auto& [pixels, bias] : score_bias_) {
    Tensor whole = Tensor::zeros({n, bias.size(1), bias.size(2)});
    if (bias.size(2) != context.tokens().size(1)) continue;
    for (int64_t i = 0; i < n; ++i) {
      if (members[static_cast<size_t>(i)].positive)
        std::ranges::copy(bias.data(), whole.rows(i, i + 1).data().begin());
    }
    context.score_bias[pixels] = whole;
  }
  return contexts_.emplace(std::move(key), std::move(context)).first->second;
}

Tensor GuidedModel::input_of(const std::vector<Member>& members, const Tensor& x) const {
  const int64_t extra = extra_.defined() ? extra_.size(1) : 0;
  const auto n = static_cast<int64_t>(members.size());
  Tensor input = Tensor::zeros({n, x.size(1) + extra, x.size(2), x.size(3)});
  for (int64_t i = 0; i < n; ++i) {
    auto row = input.rows(i, i + 1).data();
    std::ranges::copy(x.data(), row.begin());
    if (extra > 0 && members[static_cast<size_t>(i)].with_picture) {
      std::ranges::copy(extra_.data(), row.begin() + x.elements());
    }
  }
  return input;
}

}  // namespace maquette::diffusion
