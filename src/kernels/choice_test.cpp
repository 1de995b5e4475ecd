// The table of measured choices, and what the front functions make of it.
#include "kernels/choice.h"

#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/cpu.h"
#include "kernels/matmul.h"
#include "kernels/tuner.h"

namespace maquette::kernels {
namespace {

Tensor noise(const Shape& shape, DType type, uint32_t seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  Tensor t = Tensor::empty(shape);
  for (float& value : t.data()) value = normal(generator);
  return t.to(type);
}

// The process's table is put back to none whatever a test does to it.
class Choices : public testing::Test {
 protected:
  void TearDown() override { set_choice_table({}); }
};

ChoiceTable small_table() {
  ChoiceTable table;
  table.choices["conv3x3 1x8x8x32->32 f32"] = {"avx512-winograd-f32", "onednn-f32", 0.5};
  table.choices["matmul 64x32->32 f32"] = {"avx512-f32", "avx512-f32", 1};
  table.fastest_type = DType::f32;
  return table;
}

TEST_F(Choices, SurviveADocument) {
  const ChoiceTable table = small_table();
  EXPECT_EQ(choice_table_from_json(parse_json(to_json(table).dump(), "table").take()).take(), table);
  EXPECT_EQ(choice_table_from_json(to_json(ChoiceTable())).take(), ChoiceTable());
}

TEST_F(Choices, DamagedDocumentsAreRefusedAsAWhole) {
  const auto refuses = [](const auto& damage) {
    Json json = to_json(small_table());
    damage(json);
    return !choice_table_from_json(json);
  };
  EXPECT_FALSE(refuses([](Json&) {}));
  EXPECT_FALSE(refuses([](Json& json) { json["made_for"] = "somebody"; }));
  EXPECT_TRUE(refuses([](Json& json) { json = Json::array(); }));
  EXPECT_TRUE(refuses([](Json& json) { json = nullptr; }));
  EXPECT_TRUE(refuses([](Json& json) { json.erase("schema"); }));
  EXPECT_TRUE(refuses([](Json& json) { json["schema"] = "maquette.recipe"; }));
  EXPECT_TRUE(refuses([](Json& json) { json["version"] = 2; }));
  EXPECT_TRUE(refuses([](Json& json) { json["version"] = "1"; }));
  EXPECT_TRUE(refuses([](Json& json) { json["precision"] = "f16"; }));
  EXPECT_TRUE(refuses([](Json& json) { json["precision"] = 16; }));
  EXPECT_TRUE(refuses([](Json& json) { json["choices"] = Json::array(); }));
  EXPECT_TRUE(refuses([](Json& json) { json["choices"]["x"] = "onednn"; }));
  EXPECT_TRUE(refuses([](Json& json) { json["choices"]["x"] = {{"list", "a"}, {"fastest", "b"}}; }));
  for (const Json& ratio : {Json(0), Json(-1), Json(1.5), Json(1e308), Json("1"), Json(nullptr)}) {
    EXPECT_TRUE(refuses([&](Json& json) {
      json["choices"]["x"] = {{"list", "a"}, {"fastest", "b"}, {"ratio", ratio}};
    })) << ratio;
  }
  const std::string endless(1000, 'x');
  EXPECT_TRUE(refuses([&](Json& json) {
    json["choices"]["x"] = {{"list", "a"}, {"fastest", endless}, {"ratio", 0.5}};
  }));
  EXPECT_TRUE(refuses([&](Json& json) {
    json["choices"][endless] = {{"list", "a"}, {"fastest", "b"}, {"ratio", 0.5}};
  }));
  EXPECT_TRUE(refuses([](Json& json) {
    for (int i = 0; i <= 20000; ++i) {
      json["choices"][std::to_string(i)] = {{"list", "a"}, {"fastest", "b"}, {"ratio", 0.5}};
    }
  }));
}

// The hash stands for what can change a picture, and for nothing else.
TEST_F(Choices, TheHashFollowsWhatChangesPictures) {
  ChoiceTable table;
  EXPECT_EQ(table.hash(), "");
  table.choices["matmul 64x32->32 f32"] = {"avx512-f32", "avx512-f32", 1};
  EXPECT_EQ(table.hash(), "");
  table.choices["conv3x3 1x8x8x32->32 f32"] = {"avx512-f32", "onednn-f32", 0.5};
  const std::string hash = table.hash();
  EXPECT_EQ(hash.size(), 12u);
  table.choices["conv3x3 1x8x8x32->32 f32"].ratio = 0.6;
  EXPECT_EQ(table.hash(), hash);
  table.choices["conv3x3 1x8x8x32->32 f32"].fastest = "other";
  EXPECT_NE(table.hash(), hash);

  const bool has_bf16 = cpu().avx512_bf16 || cpu().amx_bf16;
  ChoiceTable precision;
  precision.fastest_type = has_bf16 ? DType::bf16 : DType::f32;
  EXPECT_EQ(precision.hash(), "");
  precision.fastest_type = has_bf16 ? DType::f32 : DType::bf16;
  EXPECT_NE(precision.hash(), "");
  set_choice_table(precision);
  EXPECT_EQ(fastest_type(), *precision.fastest_type);
}

TEST_F(Choices, CountOnlyWhileTheListAgrees) {
  set_choice_table(small_table());
  EXPECT_TRUE(find_choice("conv3x3 1x8x8x32->32 f32", "avx512-winograd-f32"));
  EXPECT_FALSE(find_choice("conv3x3 1x8x8x32->32 f32", "a new kernel"));
  EXPECT_FALSE(find_choice("conv3x3 1x8x8x32->64 f32", "avx512-winograd-f32"));
}

TEST_F(Choices, ManyThreadsReadWhileOthersWrite) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t, &wrong] {
      for (int i = 0; i < 2000; ++i) {
        const std::string problem = std::to_string(i % 50);
        if (t % 4 == 0) remember_choice(problem, {"list", "fast" + problem, 0.5});
        if (t == 1 && i % 200 == 0) set_choice_table({});
        const auto found = find_choice(problem, "list");
        if (found && found->fastest != "fast" + problem) ++wrong;
        if (t == 2 && i % 100 == 0) (void)choice_table().hash();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// --- the front functions ---

struct Layer {
  DType type;
  int64_t pictures;
  Tensor x() const { return noise({pictures, 12, 16, 32}, type, 1); }
  Tensor w() const { return noise({48, 32, 3, 3}, DType::f32, 2, 0.06f); }
  std::string text() const { return fmt::format("conv3x3 1x12x16x32->48 {}", name(type)); }
  Tensor run() const {
    Exec ex;
    const ConvWeights weights(w());
    return conv2d(ex, x(), weights, ConvGeometry::same(3)).to(DType::f32);
  }
  // What runs it: seen in the profile.
  std::string used() const {
    Exec ex;
    Profiler profiler;
    ex.profiler = &profiler;
    const ConvWeights weights(w());
    conv2d(ex, x(), weights, ConvGeometry::same(3));
    const std::string operation = profiler.rows().at(0).operation;
    return operation.substr(operation.rfind(' ') + 1);
  }
};

// A list's choice and the others that could stand in for it, without the oracle.
std::vector<std::string> names_for(const Layer& layer) {
  const ConvProblem problem{.n = layer.pictures,
                            .height = 12,
                            .width = 16,
                            .in_channels = 32,
                            .out_channels = 48,
                            .kernel_h = 3,
                            .kernel_w = 3,
                            .geometry = ConvGeometry::same(3),
                            .type = layer.type};
  std::vector<std::string> names;
  for (const ConvImplementation& implementation : conv_implementations()) {
    if (implementation.accepts(problem)) names.emplace_back(implementation.name);
  }
  if (names.size() > 1) names.pop_back();
  return names;
}

TEST_F(Choices, DecideWhatRunsWhateverTheNumberOfPictures) {
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const int64_t pictures : {1, 2}) {
      const Layer layer{type, pictures};
      const std::vector<std::string> names = names_for(layer);
      set_choice_table({});
      EXPECT_EQ(layer.used(), names[0]);
      const Tensor expected = layer.run();
      for (const std::string& name : names) {
        set_choice_table({});
        remember_choice(layer.text(), {names[0], name, 0.5});
        EXPECT_EQ(layer.used(), name);
        // f32: sums in another order, Winograd's transforms or split numbers, on either side; bf16: its
        // rounding, of three decimal digits.
        EXPECT_LE(relative_error(layer.run(), expected), type == DType::f32 ? 2e-5 : 4e-2) << name;
      }
    }
  }
}

TEST_F(Choices, NamesThatDoNotRunHereAreIgnored) {
  const Layer layer{DType::f32, 1};
  const std::string by_list = names_for(layer)[0];
  for (const char* name : {"warp-drive", "amx-bf16", ""}) {
    remember_choice(layer.text(), {by_list, name, 0.5});
    EXPECT_EQ(layer.used(), by_list) << name;
  }
  if (by_list != "reference") {
    remember_choice(layer.text(), {by_list, "reference", 0.5});
    EXPECT_EQ(layer.used(), by_list);
  }
}

TEST_F(Choices, ProductsAndAttentionAreKnownByOnePicture) {
  Exec ex;
  Tuner tuner;
  ex.tuner = &tuner;
  const MatmulWeights weights({noise({48, 32}, DType::f32, 1)});
  for (const int64_t pictures : {1, 3}) {
    matmul(ex, noise({pictures, 20, 32}, DType::f32, 2), weights);
    matmul(ex, noise({pictures, 32}, DType::f32, 2), weights);
  }
  std::vector<std::string> texts;
  for (const Tuner::Problem& problem : tuner.problems()) texts.push_back(problem.text);
  if (cpu().avx512) {
    EXPECT_EQ(texts, (std::vector<std::string>{"matmul 20x32->48 f32", "matmul 1x32->48 f32"}));
  }
}

// --- measuring ---

Candidate sleeping(std::string_view name, int milliseconds, int& runs) {
  return {name, [milliseconds, &runs] {
            return [milliseconds, &runs] {
              ++runs;
              std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
            };
          }};
}

TEST_F(Choices, TheFastestIsRememberedAndNotMeasuredAgain) {
  int slow = 0, fast = 0, same = 0;
  const std::vector<Candidate> candidates{sleeping("slow", 60, slow), sleeping("fast", 1, fast)};
  Tuner tuner;
  tuner.meet("p", candidates);
  EXPECT_EQ(slow + fast, 0) << "listing measures nothing";
  EXPECT_EQ(tuner.unknown(), 1u);

  int told = 0;
  tuner.measured = [&told] { ++told; };
  tuner.measuring = true;
  tuner.meet("p", candidates);
  EXPECT_EQ(find_choice("p", "slow")->fastest, "fast");
  EXPECT_LT(find_choice("p", "slow")->ratio, 1);
  EXPECT_EQ(tuner.unknown(), 0u);

  const ChoiceTable table = choice_table();
  const int runs = slow + fast;
  tuner.meet("p", candidates);
  Tuner another;
  another.measuring = true;
  another.meet("p", candidates);
  EXPECT_EQ(slow + fast, runs);
  EXPECT_EQ(choice_table(), table);
  EXPECT_EQ(told, 1);

  // What is not faster leaves the list's choice.
  const std::vector<Candidate> best_first{sleeping("a", 1, same), sleeping("b", 60, same)};
  tuner.meet("q", best_first);
  EXPECT_EQ(find_choice("q", "a")->fastest, "a");
  // With one candidate there is nothing to measure.
  tuner.meet("r", std::span(best_first).first(1));
  EXPECT_FALSE(find_choice("r", "a"));
}

TEST_F(Choices, MeasuringLeavesResultsAlone) {
  for (const DType type : {DType::f32, DType::bf16}) {
    const Layer layer{type, 2};
    Exec ex;
    Tuner tuner;
    tuner.measuring = true;
    ex.tuner = &tuner;
    const ConvWeights weights(layer.w());
    const Tensor tuned = conv2d(ex, layer.x(), weights, ConvGeometry::same(3)).to(DType::f32);
    EXPECT_EQ(relative_error(tuned, layer.run()), 0) << "the run that measures gives what later ones give";
    conv2d_enlarged(ex, layer.x(), weights);
  }
}

}  // namespace
}  // namespace maquette::kernels
