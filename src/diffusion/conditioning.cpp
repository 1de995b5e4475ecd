// Text to conditions: parse by dialect, run each chunk of 75 tokens through each encoder, weigh, join.
//
// Emphasis: A1111 multiplies a token's vector by its weight, then scales the whole so that its mean is what
// it was (the texts of one prompt's schedule together); ComfyUI moves the vector away from that of the empty
// prompt.
#include "diffusion/conditioning.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "diffusion/chunk_encoder.h"

namespace maquette::diffusion {

namespace {

// One text through one encoder.
struct BranchOutput {
  std::vector<Tensor> chunks;  // [77, C] each, weighted
  Tensor pooled;               // [1, P], of the first chunk
};

// Encodes the variants of one prompt together, with one encoder.
class BranchEncoder {
 public:
  BranchEncoder(ChunkEncoder& chunks, size_t branch, const ConditioningSettings& settings)
      : chunks_(chunks), branch_(chunks.side().branches[branch]), index_(branch), settings_(settings) {}

  std::vector<BranchOutput> encode(const text::PromptPart& part);

 private:
  struct Row {
    text::FramedChunk frame;
    Tensor hidden;  // [77, C] of its own
    Tensor pooled;  // [1, P]
  };
  Row run(const text::Chunk& chunk);
  Tensor chosen_layer(const models::TextOutput& out);
  // `uses`: how often the prompt's schedule names each of the rows, all of the same chunk.
  void emphasise_a1111(const std::vector<Row*>& rows, const std::vector<int>& uses);
  void emphasise_comfy(Row& row, const Row& empty);

  ChunkEncoder& chunks_;
  const TextBranch& branch_;
  size_t index_;
  const ConditioningSettings& settings_;
};

BranchEncoder::Row BranchEncoder::run(const text::Chunk& chunk) {
  Row row{.frame = chunks_.frame(index_, chunk), .hidden = {}, .pooled = {}};
  const auto& [together, index] = chunks_.at(index_, row.frame);
  row.hidden = chosen_layer(together).rows(index, index + 1).clone();
  row.hidden = row.hidden.reshape({row.hidden.size(1), row.hidden.size(2)});
  const int64_t end[] = {row.frame.eos_position};
  row.pooled = branch_.encoder.pooled(chunks_.exec(), together.last.rows(index, index + 1), end);
  return row;
}

// The hidden state that the family and the dialect's clip skip ask for. diffusers counts layers left out, the
// others count from the end.
Tensor BranchEncoder::chosen_layer(const models::TextOutput& out) {
  int layer = branch_.default_layer;
  if (settings_.clip_skip > 0) {
    layer = settings_.dialect == Dialect::diffusers ? branch_.default_layer + settings_.clip_skip
                                                    : settings_.clip_skip;
  }
  const auto layers = static_cast<int>(out.hidden.size());
  if (layer < 1 || layer > layers) {
    throw Error(ErrorCode::usage, "cannot skip {} layers of the text encoder", settings_.clip_skip)
        .with("expected", fmt::format("at most {}", layers - branch_.default_layer));
  }
  if (layer == 1 && branch_.final_norm) return out.last;
  const Tensor& hidden = out.hidden[static_cast<size_t>(layers - layer)];
  return branch_.final_norm ? branch_.encoder.final_norm(chunks_.exec(), hidden) : hidden;
}

void BranchEncoder::emphasise_a1111(const std::vector<Row*>& rows, const std::vector<int>& uses) {
  double before = 0;
  double after = 0;
  bool any = false;
  for (size_t r = 0; r < rows.size(); ++r) {
    Row* row = rows[r];
    const auto width = static_cast<size_t>(row->hidden.size(1));
    auto values = row->hidden.data();
    for (size_t token = 0; token < row->frame.weights.size(); ++token) {
      const float weight = row->frame.weights[token];
      any = any || weight != 1;
      for (size_t i = token * width; i < (token + 1) * width; ++i) {
        before += uses[r] * values[i];
        values[i] *= weight;
        after += uses[r] * values[i];
      }
    }
  }
  if (!any || after == 0 || !std::isfinite(before / after)) return;
  const auto factor = static_cast<float>(before / after);
  for (Row* row : rows) {
    for (float& v : row->hidden.data()) v *= factor;
  }
}

void BranchEncoder::emphasise_comfy(Row& row, const Row& empty) {
  const auto width = static_cast<size_t>(row.hidden.size(1));
  auto values = row.hidden.data();
  const auto base = empty.hidden.data();
  for (size_t token = 0; token < row.frame.weights.size(); ++token) {
    const float weight = row.frame.weights[token];
    if (weight == 1) continue;
    for (size_t i = token * width; i < (token + 1) * width; ++i)
      values[i] = (values[i] - base[i]) * weight + base[i];
  }
}

std::vector<BranchOutput> BranchEncoder::encode(const text::PromptPart& part) {
  std::vector<std::vector<Row>> rows;
  for (const text::PromptVariant& variant : part.variants) {
    std::vector<Row>& encoded = rows.emplace_back();
    for (const text::Chunk& chunk : variant.chunks) encoded.push_back(run(chunk));
  }
  if (settings_.dialect == Dialect::a1111) {
    std::vector<int> uses(part.variants.size(), 0);
    for (const text::PromptPart::Switch& entry : part.schedule) ++uses[entry.variant];
    for (size_t chunk = 0; chunk < rows[0].size(); ++chunk) {
      std::vector<Row*> together;
      for (std::vector<Row>& variant : rows) together.push_back(&variant[chunk]);
      emphasise_a1111(together, uses);
    }
  } else if (settings_.dialect == Dialect::comfy) {
    const Row empty = run(text::Chunk{});
    for (std::vector<Row>& variant : rows) {
      for (Row& row : variant) emphasise_comfy(row, empty);
    }
  }
  std::vector<BranchOutput> outputs;
  for (std::vector<Row>& variant : rows) {
    BranchOutput& output = outputs.emplace_back();
    output.pooled = variant[0].pooled;
    for (Row& row : variant) output.chunks.push_back(row.hidden);
  }
  return outputs;
}

// The outputs of the branches side by side: [1, 77 chunks, C1 + C2].
Tensor join(const std::vector<std::vector<BranchOutput>>& by_branch, size_t variant) {
  size_t chunks = 0;
  int64_t width = 0;
  for (const auto& outputs : by_branch) {
    chunks = std::max(chunks, outputs[variant].chunks.size());
    width += outputs[variant].chunks[0].size(1);
  }
  const int64_t length = by_branch[0][variant].chunks[0].size(0);
  Tensor tokens = Tensor::zeros({1, static_cast<int64_t>(chunks) * length, width});
  int64_t column = 0;
  for (const auto& outputs : by_branch) {
    const int64_t own = outputs[variant].chunks[0].size(1);
    for (size_t chunk = 0; chunk < outputs[variant].chunks.size(); ++chunk) {
      const auto from = outputs[variant].chunks[chunk].data();
      for (int64_t t = 0; t < length; ++t) {
        const int64_t row = static_cast<int64_t>(chunk) * length + t;
        std::copy_n(from.begin() + t * own, own, tokens.data().begin() + row * width + column);
      }
    }
    column += own;
  }
  return tokens;
}

// Parses for each branch (their vocabularies may differ) and returns the variants of every part.
std::vector<text::ParsedPrompt> parse_for_branches(const TextSide& side, std::string_view prompt,
                                                   const ConditioningSettings& settings, bool negative) {
  std::vector<text::EmbeddingName> names;
  for (const TextualInversion& inversion : side.inversions) {
    int rows = 1;
    for (const Tensor& vectors : inversion.vectors) {
      if (vectors.defined()) rows = std::max(rows, static_cast<int>(vectors.size(0)));
    }
    names.push_back({.name = inversion.name, .vectors = rows});
  }
  std::vector<text::ParsedPrompt> parsed;
  for (const TextBranch& branch : side.branches) {
    parsed.push_back(text::parse_prompt(prompt, branch.tokenizer,
                                        {.dialect = settings.dialect,
                                         .steps = settings.calls,
                                         .first_pass_steps = settings.first_pass_calls,
                                         .negative = negative,
                                         .embeddings = names}));
  }
  return parsed;
}

// Everything that the recipe says goes through the encoders together.
void prepare_chunks(ChunkEncoder& chunks, const Recipe& recipe, const ConditioningSettings& settings) {
  std::vector<std::pair<std::string_view, bool>> texts{{recipe.prompt, false}};  // whether it is a negative
  const std::string negative = recipe.negative.value_or("");
  texts.emplace_back(negative, true);
  for (const Recipe::Region& region : recipe.regions) texts.emplace_back(region.prompt, true);
  std::vector<std::vector<text::FramedChunk>> frames(chunks.side().branches.size());
  for (const auto& [text, is_negative] : texts) {
    const auto parsed = parse_for_branches(chunks.side(), text, settings, is_negative);
    for (size_t branch = 0; branch < parsed.size(); ++branch) {
      for (const text::PromptPart& part : parsed[branch].parts) {
        for (const text::PromptVariant& variant : part.variants) {
          for (const text::Chunk& chunk : variant.chunks)
            frames[branch].push_back(chunks.frame(branch, chunk));
        }
      }
    }
  }
  for (size_t branch = 0; branch < frames.size(); ++branch) {
    if (settings.dialect == Dialect::comfy) frames[branch].push_back(chunks.frame(branch, {}));
    chunks.prepare(branch, frames[branch]);
  }
}

// The last vector repeated: A1111 brings the parts of an AND to one length so.
void pad_with_last(Tensor& tokens, int64_t length) {
  if (tokens.size(1) >= length) return;
  Tensor longer = Tensor::empty({1, length, tokens.size(2)});
  std::ranges::copy(tokens.data(), longer.data().begin());
  const auto width = static_cast<size_t>(tokens.size(2));
  for (int64_t t = tokens.size(1); t < length; ++t) {
    std::copy_n(tokens.data().end() - static_cast<std::ptrdiff_t>(width), width,
                longer.data().begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(t) * width));
  }
  tokens = longer;
}

void fill_zero(Tensor& t) { std::ranges::fill(t.data(), 0.0f); }

// Adds the conditions of one text to the plan and returns its moments.
class PlanBuilder {
 public:
  PlanBuilder(ChunkEncoder& chunks, const ConditioningSettings& settings, EncodedPrompts& out)
      : chunks_(chunks), side_(chunks.side()), settings_(settings), out_(out) {}

  std::vector<PromptMoment> add(std::string_view prompt, bool negative, bool zero);

 private:
  // The places of the conditions of each variant of one part.
  std::vector<size_t> add_part(const std::vector<text::ParsedPrompt>& parsed, size_t part, bool negative,
                               bool zero);

  ChunkEncoder& chunks_;
  const TextSide& side_;
  const ConditioningSettings& settings_;
  EncodedPrompts& out_;
};

std::vector<size_t> PlanBuilder::add_part(const std::vector<text::ParsedPrompt>& parsed, size_t part,
                                          bool negative, bool zero) {
  // diffusers applies the clip skip to the positive prompt only.
  ConditioningSettings settings = settings_;
  if (negative && settings.dialect == Dialect::diffusers) settings.clip_skip = 0;
  std::vector<std::vector<BranchOutput>> by_branch;
  for (size_t b = 0; b < side_.branches.size(); ++b) {
    by_branch.push_back(BranchEncoder(chunks_, b, settings).encode(parsed[b].parts[part]));
  }
  std::vector<size_t> places;
  for (size_t variant = 0; variant < by_branch[0].size(); ++variant) {
    Condition condition{.tokens = join(by_branch, variant), .added = {}};
    Tensor pooled = by_branch.back()[variant].pooled.clone();
    if (zero) {
      fill_zero(condition.tokens);
      fill_zero(pooled);
    }
    const std::vector<double>& sizes = negative ? settings_.negative_sizes : settings_.sizes;
    if (!sizes.empty()) {
      condition.added =
          models::size_embedding(pooled, std::vector<std::vector<double>>{sizes}, settings_.size_waves);
    }
    places.push_back(out_.plan.conditions.size());
    out_.plan.conditions.push_back(std::move(condition));
  }
  return places;
}

std::vector<PromptMoment> PlanBuilder::add(std::string_view prompt, bool negative, bool zero) {
  const std::vector<text::ParsedPrompt> parsed = parse_for_branches(side_, prompt, settings_, negative);
  const text::ParsedPrompt& first = parsed[0];
  for (const text::ParsedPrompt& p : parsed) {
    for (const std::string& warning : p.warnings) {
      if (std::ranges::find(out_.warnings, warning) == out_.warnings.end()) out_.warnings.push_back(warning);
    }
  }
  if (!first.truncated.empty()) {
    out_.warnings.push_back(fmt::format("the prompt is too long, left out: \"{}\"", first.truncated));
  }
  out_.extra_networks.insert(out_.extra_networks.end(), first.extra_networks.begin(),
                             first.extra_networks.end());

  std::vector<std::vector<size_t>> places;
  for (size_t part = 0; part < first.parts.size(); ++part)
    places.push_back(add_part(parsed, part, negative, zero));

  int64_t longest = 0;
  for (const auto& variants : places) {
    for (const size_t place : variants)
      longest = std::max(longest, out_.plan.conditions[place].tokens.size(1));
  }
  if (places.size() > 1) {
    for (const auto& variants : places) {
      for (const size_t place : variants) pad_with_last(out_.plan.conditions[place].tokens, longest);
    }
  }

  // One moment per network call at which anything changes.
  std::vector<PromptMoment> moments;
  for (int call = 0; call < std::max(settings_.calls, 1); ++call) {
    PromptMoment moment{.until_call = call + 1, .parts = {}};
    for (size_t part = 0; part < places.size(); ++part) {
      moment.parts.push_back({.condition = places[part][first.parts[part].variant_at(call)],
                              .weight = first.parts[part].weight});
    }
    const auto same = [](const PromptMoment::Part& a, const PromptMoment::Part& b) {
      return a.condition == b.condition && a.weight == b.weight;
    };
    if (!moments.empty() && std::ranges::equal(moments.back().parts, moment.parts, same)) {
      moments.back().until_call = call + 1;
    } else {
      moments.push_back(std::move(moment));
    }
  }
  return moments;
}

}  // namespace

EncodedPrompts encode_prompts(ChunkEncoder& chunks, const Recipe& recipe,
                              const ConditioningSettings& settings) {
  prepare_chunks(chunks, recipe, settings);
  EncodedPrompts out;
  PlanBuilder builder(chunks, settings, out);
  out.plan.positive = builder.add(recipe.prompt, /*negative=*/false, /*zero=*/false);
  // What an empty negative means differs: diffusers zeroes SDXL's where none was given, A1111 wherever it is
  // empty, ComfyUI always encodes the empty text.
  const bool empty = settings.dialect == Dialect::diffusers ? !recipe.negative.has_value()
                                                            : recipe.negative.value_or("").empty();
  const bool zero = empty && settings.zero_empty_negative && settings.dialect != Dialect::comfy;
  out.plan.negative = builder.add(recipe.negative.value_or(""), /*negative=*/true, zero);
  return out;
}

Tensor encode_plain(ChunkEncoder& chunks, std::string_view prompt, const ConditioningSettings& settings) {
  EncodedPrompts out;
  PlanBuilder builder(chunks, settings, out);
  const std::vector<PromptMoment> moments = builder.add(prompt, /*negative=*/true, /*zero=*/false);
  return out.plan.conditions[moments[0].parts[0].condition].tokens;
}

}  // namespace maquette::diffusion
