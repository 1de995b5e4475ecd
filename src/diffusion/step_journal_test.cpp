// Pictures that were interrupted and made again with the same journal are those of an undisturbed run, to the
// last bit, whatever was in the journal's file.
#include "diffusion/step_journal.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "diffusion/engine.h"

namespace maquette::diffusion {
namespace {

const std::string kPipelines = "tests/golden/pipelines/";

Recipe small(const std::string& model = "models/starter") {
  Recipe recipe;
  recipe.model.path = model;
  recipe.prompt = "a sea at dusk, two moons";
  recipe.negative = "fog";
  recipe.width = recipe.height = 32;
  recipe.steps = 5;
  recipe.cfg = 3;
  recipe.seed = 11;
  recipe.precision = Precision::f32;
  return recipe;
}

struct Made {
  std::vector<uint8_t> pixels;
  std::vector<float> latent;
  int known = 0;  // evaluations from the journal
  std::vector<std::string> notes;

  bool operator==(const Made& other) const { return pixels == other.pixels && latent == other.latent; }
};

class StepJournals : public testing::Test {
 protected:
  void SetUp() override { fs::remove(file_); }
  void TearDown() override { fs::remove(file_); }

  Made make(const Recipe& recipe, const fs::path& journal = {}) {
    const Picture picture = engine_.run(recipe, {.journal = journal});
    const auto pixels = picture.image8.pixels.data<uint8_t>();
    const auto latent = picture.latent.data();
    return {.pixels = {pixels.begin(), pixels.end()},
            .latent = {latent.begin(), latent.end()},
            .known = picture.known_evaluations,
            .notes = picture.notes};
  }

  // Stops when `steps` steps of pass number `pass` (from 0) are done; false where the picture was finished
  // first.
  bool make_until(const Recipe& recipe, int steps, int pass = 0) {
    int passes = -1;
    std::string phase;
    const auto progress = [&](const ProgressReport& report) {
      if (report.phase == "sampling" && phase != "sampling") ++passes;
      phase = report.phase;
      return !(phase == "sampling" && passes == pass && report.done >= steps);
    };
    try {
      engine_.run(recipe, {.progress = progress, .journal = file_});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled) throw;
      return false;
    }
    return true;
  }

  // Interrupted after every step, each time with a journal of its own. Returns how many evaluations were
  // known in the end.
  int check_every_step(const Recipe& recipe, int passes = 1) {
    const Made undisturbed = make(recipe);
    int known = 0;
    for (int pass = 0; pass < passes; ++pass) {
      for (int step = 0; step < 100; ++step) {
        fs::remove(file_);
        if (make_until(recipe, step, pass)) {
          ADD_FAILURE() << "the picture has no step " << step;
          return 0;
        }
        const Made resumed = make(recipe, file_);
        EXPECT_TRUE(resumed == undisturbed) << "pass " << pass << ", step " << step;
        EXPECT_TRUE(resumed.notes == undisturbed.notes);
        EXPECT_GE(resumed.known, recipe.feature_cache.every == 1 ? step : 0) << "pass " << pass;
        EXPECT_GE(resumed.known, known);
        known = resumed.known;
        if (step == last_step(recipe, pass)) break;
      }
    }
    return known;
  }

  // Interrupted again and again, with one journal.
  void check_all_interruptions(const Recipe& recipe) {
    const Made undisturbed = make(recipe);
    fs::remove(file_);
    const int last = last_step(recipe, 0);
    for (int step = 1; step <= last; ++step) EXPECT_FALSE(make_until(recipe, step));
    EXPECT_TRUE(make(recipe, file_) == undisturbed);
  }

  // Steps of a pass, as progress counts them.
  int last_step(const Recipe& recipe, int pass) {
    int total = 0;
    int passes = -1;
    std::string phase;
    const auto progress = [&](const ProgressReport& report) {
      if (report.phase == "sampling" && phase != "sampling") ++passes;
      phase = report.phase;
      if (phase == "sampling" && passes == pass) total = std::max(total, report.total);
      return total == 0;
    };
    try {
      engine_.run(recipe, {.progress = progress});
    } catch (const Error&) {
    }
    return total;
  }

  Engine engine_;
  const fs::path file_ =
      fs::path(testing::TempDir()) /
      fmt::format("journal_{:p}", fmt::ptr(testing::UnitTest::GetInstance()->current_test_info()));
};

struct Sampling {
  const char* sampler;
  Dialect dialect;
};
class StepJournalOf : public StepJournals, public testing::WithParamInterface<Sampling> {};

TEST_P(StepJournalOf, makes_the_same_picture) {
  for (const std::string& model : {std::string("models/starter"), kPipelines + "models/sd1"}) {
    Recipe recipe = small(model);
    recipe.sampler = GetParam().sampler;
    recipe.dialect = GetParam().dialect;
    check_every_step(recipe);
    check_all_interruptions(recipe);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Samplers, StepJournalOf,
    testing::Values(Sampling{"euler", Dialect::diffusers}, Sampling{"euler-a", Dialect::a1111},
                    Sampling{"euler-a", Dialect::diffusers}, Sampling{"heun", Dialect::comfy},
                    Sampling{"heun", Dialect::diffusers}, Sampling{"dpm2-a", Dialect::a1111},
                    Sampling{"dpm++2s-a", Dialect::comfy}, Sampling{"dpm++2m", Dialect::a1111},
                    Sampling{"dpm++2m", Dialect::diffusers}, Sampling{"dpm++sde", Dialect::a1111},
                    Sampling{"dpm++2m-sde", Dialect::comfy}, Sampling{"dpm++3m-sde", Dialect::a1111},
                    Sampling{"unipc", Dialect::diffusers}, Sampling{"lms", Dialect::a1111},
                    Sampling{"pndm", Dialect::diffusers}, Sampling{"ddim", Dialect::a1111},
                    Sampling{"restart", Dialect::a1111}, Sampling{"lcm", Dialect::comfy}),
    [](const auto& info) {
      std::string text = fmt::format("{}_{}", info.param.sampler, static_cast<int>(info.param.dialect));
      std::ranges::replace_if(
          text, [](char c) { return !std::isalnum(c); }, '_');
      return text;
    });

TEST_F(StepJournals, hold_over_two_passes) {
  Recipe recipe = small();
  recipe.hires = {.scale = 1.5, .steps = 4, .strength = 0.7};
  recipe.sampler = "euler-a";
  check_every_step(recipe, 2);
}

TEST_F(StepJournals, hold_in_tiles_and_textures) {
  Recipe recipe = small();
  recipe.width = 64;
  recipe.tile_size = 32;
  recipe.tile_x = true;
  recipe.sampler = "dpm++2m-sde";
  check_every_step(recipe);
}

TEST_F(StepJournals, hold_over_pictures_masks_and_controls) {
  Recipe recipe = small(kPipelines + "models/sd1");
  recipe.init.path = kPipelines + "sd1_img2img/image.png";
  recipe.width = recipe.height = 0;
  recipe.strength = 0.8;
  recipe.sampler = "euler-a";
  check_every_step(recipe);

  recipe.outpaint = {.left = 16};
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    recipe.dialect = dialect;
    check_every_step(recipe);
  }

  Recipe controlled = small(kPipelines + "models/sd1");
  controlled.controls.push_back({.kind = "none",
                                 .model = {kPipelines + "models/controlnet_sd1", ""},
                                 .image = {kPipelines + "sd1_controlnet/image.png", ""},
                                 .end = 0.6});
  controlled.regions.push_back({.prompt = "a tower", .mask = {kPipelines + "sd1_controlnet/image.png", ""}});
  check_every_step(controlled);
}

TEST_F(StepJournals, hold_with_cached_features) {
  Recipe recipe = small();
  recipe.steps = 7;
  recipe.feature_cache = {.every = 3, .depth = 2};
  EXPECT_EQ(check_every_step(recipe), 6);  // calls 0, 3 and 6 are full ones
  recipe.sampler = "heun";
  EXPECT_GT(check_every_step(recipe), 6);
  recipe.hires = {.scale = 1.5, .steps = 4, .strength = 0.7};
  recipe.tile_size = 32;
  EXPECT_GT(check_every_step(recipe, 2), 9);
}

// Prompts that come back at different moments keep features of different ages.
TEST_F(StepJournals, hold_with_cached_features_of_several_prompts) {
  Recipe recipe = small();
  recipe.dialect = Dialect::a1111;
  recipe.steps = 9;
  recipe.sampler = "euler";
  recipe.feature_cache = {.every = 3, .depth = 2};
  for (const char* prompt :
       {"[a sea|a desert]", "[sea:ice:4] at dusk", "[a sea|a desert|a forest] [dawn:dusk:0.4]"}) {
    recipe.prompt = prompt;
    check_every_step(recipe);
  }
}

TEST_F(StepJournals, are_whole_after_the_last_step) {
  const Recipe recipe = small();
  const Made undisturbed = make(recipe);
  EXPECT_EQ(make(recipe, file_).known, 0);
  const Made again = make(recipe, file_);
  EXPECT_EQ(again.known, recipe.steps);
  EXPECT_TRUE(again == undisturbed);
}

TEST_F(StepJournals, of_another_picture_are_begun_anew) {
  const Recipe recipe = small();
  make(recipe, file_);
  std::vector<Recipe> others(5, recipe);
  others[0].seed = 12;
  others[1].prompt = "a desert";
  others[2].cfg = 4;
  others[3].model.path = kPipelines + "models/sd1";
  others[4].precision = Precision::bf16;
  for (const Recipe& other : others) {
    const Made undisturbed = make(other);
    const Made made = make(other, file_);
    EXPECT_TRUE(made == undisturbed);
    EXPECT_EQ(made.known, 0);
    ASSERT_EQ(made.notes.size(), undisturbed.notes.size() + 1);
    EXPECT_NE(made.notes.back().find("begun anew"), std::string::npos);
    EXPECT_GE(make(other, file_).known, other.steps);
  }
}

TEST_F(StepJournals, never_give_a_wrong_picture_however_they_are_damaged) {
  const Recipe recipe = small();
  const Made undisturbed = make(recipe);
  make(recipe, file_);
  const std::string whole = read_text_file(file_).take();
  // Primes, so that sizes, sums, questions and answers are all met.
  for (size_t size = 0; size < whole.size(); size += 397) {
    write_file_atomically(file_, whole.substr(0, size));
    const Made made = make(recipe, file_);
    EXPECT_TRUE(made == undisturbed) << "torn at " << size;
    EXPECT_EQ(read_text_file(file_).take(), whole);
  }
  for (size_t at = 0; at < whole.size(); at += 211) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    write_file_atomically(file_, damaged);
    const Made made = make(recipe, file_);
    EXPECT_TRUE(made == undisturbed) << "altered at " << at;
    EXPECT_LT(made.known, recipe.steps);
    EXPECT_EQ(read_text_file(file_).take(), whole);
  }
}

TEST_F(StepJournals, of_another_program_do_not_fit) {
  const Recipe recipe = small();
  EXPECT_EQ(journal_key(recipe, DType::f32), journal_key(recipe, DType::f32));
  EXPECT_NE(journal_key(recipe, DType::f32), journal_key(recipe, DType::bf16));
}

// What no key can know shows in the latents that the network is given.
TEST_F(StepJournals, answer_only_the_same_question) {
  const auto constant = [](float value) {
    return [value] { return Evaluation{.prediction = Tensor::full({1, 1, 2, 2}, value)}; };
  };
  const Tensor a = Tensor::full({1, 1, 2, 2}, 1);
  const Tensor b = Tensor::full({1, 1, 2, 2}, 2);
  const JournalSettings settings{.file = file_, .key = "k"};
  const auto first = [](const Tensor& t) { return t.data()[0]; };
  {
    StepJournal journal(settings);
    EXPECT_EQ(first(journal.answer(a, constant(10))), 10);
    EXPECT_EQ(first(journal.answer(b, constant(20))), 20);
    EXPECT_EQ(first(journal.answer(a, constant(30))), 30);
  }
  {
    StepJournal journal(settings);
    EXPECT_EQ(first(journal.answer(a, constant(11))), 10);
    EXPECT_TRUE(journal.replaying());
    EXPECT_EQ(first(journal.answer(a, constant(21))), 21);
    EXPECT_FALSE(journal.replaying());
    EXPECT_EQ(first(journal.answer(a, constant(31))), 31);
    EXPECT_EQ(journal.answered(), 1);
    EXPECT_EQ(journal.notes().size(), 1u);
  }
  StepJournal journal(settings);
  for (const float expected : {10, 21, 31}) EXPECT_EQ(first(journal.answer(a, constant(0))), expected);
}

TEST_F(StepJournals, belong_to_one_run_at_a_time) {
  const StepJournal journal({.file = file_, .key = "k"});
  EXPECT_THROW(make(small(), file_), Error);
}

TEST_F(StepJournals, show_previews_and_known_steps_of_their_run) {
  const Recipe recipe = small();
  ASSERT_FALSE(make_until(recipe, 3));
  std::vector<int> previews;
  int known = 0;
  engine_.run(recipe, {.progress =
                           [&](const ProgressReport& report) {
                             known = std::max(known, report.known);
                             return true;
                           },
                       .preview = [&](int step, const Tensor&) { previews.push_back(step); },
                       .journal = file_});
  EXPECT_EQ(previews, (std::vector<int>{4, 5}));
  EXPECT_EQ(known, 3);
}

}  // namespace
}  // namespace maquette::diffusion
