// The library as its users see it: the public header, and the program's own way of writing files for
// comparison.
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "app/generate.h"
#include "app/picture_record.h"
#include "maquette/maquette.h"

namespace maquette::api {
namespace {

constexpr const char* kModel = "tests/golden/pipelines/models/sd1";

Job small_job(uint64_t seed = 7) {
  return {.prompt = "dusk, sea", .width = 64, .height = 64, .steps = 3, .seed = seed, .sampler = "euler-a"};
}

std::filesystem::path scratch(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / ("maquette_api_" + name);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The error that a call throws; a failed test and an empty one where it throws none.
template <typename Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error({});
}

TEST(Api, saves_the_file_that_the_program_writes) {
  Model model(kModel);
  for (const auto& [name, bits] : {std::pair{"a.png", 8}, {"b.png", 16}, {"c.exr", 8}}) {
    const Picture picture = model.run(small_job());
    picture.save(scratch(name), bits);

    Recipe recipe = app::recipe_of_record(parse_json(recipe_json(small_job()), "job").take()).take();
    recipe.model.path = kModel;
    const std::filesystem::path file = scratch("program_" + std::string(name));
    app::generate({.recipe = recipe, .out = file, .bits = bits});
    EXPECT_EQ(bytes_of(scratch(name)), bytes_of(file)) << name;
    EXPECT_FALSE(bytes_of(file).empty());
  }
}

TEST(Api, a_picture_knows_itself) {
  Model model(kModel);
  const Picture picture = model.run(small_job(41));
  EXPECT_EQ(picture.width, 64);
  EXPECT_EQ(picture.height, 64);
  ASSERT_EQ(picture.pixels.size(), 64u * 64u * 3u);
  ASSERT_EQ(picture.values.size(), picture.pixels.size());
  for (size_t i = 0; i < picture.pixels.size(); ++i) {
    ASSERT_NEAR(picture.values[i] * 255, picture.pixels[i], 0.5001);
  }
  EXPECT_EQ(picture.seed, 41u);
  EXPECT_NE(picture.parameters.find("Seed: 41"), std::string::npos);
  EXPECT_EQ(picture.recipe_hash.size(), 64u);
  EXPECT_FALSE(picture.seconds.empty());

  picture.save(scratch("known.png"));
  EXPECT_EQ(read_recipe(scratch("known.png")), picture.recipe);
}

TEST(Api, a_recipe_makes_the_picture_again) {
  Model model(kModel);
  const Picture first = model.run(small_job());
  const Picture again = model.run_recipe(first.recipe);
  EXPECT_EQ(again.pixels, first.pixels);
  EXPECT_EQ(again.recipe_hash, first.recipe_hash);
  EXPECT_EQ(model.run_recipe(first.record).pixels, first.pixels);
  EXPECT_NE(model.run(small_job(8)).pixels, first.pixels);
}

TEST(Api, a_recipe_is_held_to_its_model) {
  Model model(kModel);
  Json recipe = parse_json(model.run(small_job()).recipe, "recipe").take();
  const std::string hash = recipe["model"]["sha256"].get<std::string>();

  // From another machine: the path leads nowhere here, and the hash says that it is the same file.
  recipe["model"]["path"] = "/elsewhere/sd1";
  EXPECT_NO_THROW(model.run_recipe(recipe.dump()));
  recipe["model"]["sha256"] = std::string(64, '0');
  const Error refused = error_of([&] { model.run_recipe(recipe.dump()); });
  EXPECT_EQ(refused.code(), "refused");
  EXPECT_EQ(refused.found(), hash);

  // Without a hash the path must lead to the file that is loaded.
  recipe["model"].erase("sha256");
  EXPECT_EQ(error_of([&] { model.run_recipe(recipe.dump()); }).code(), "usage");
  recipe["model"]["path"] = "tests/golden/../golden/pipelines/models/sd1";
  EXPECT_NO_THROW(model.run_recipe(recipe.dump()));
}

TEST(Api, says_how_far_it_is) {
  Model model(kModel);
  std::vector<int> steps;
  std::vector<int> previews;
  model.run(small_job(), {.progress =
                              [&](const Progress& progress) {
                                // Between the blocks of a network the last report comes again.
                                const bool again = !steps.empty() && steps.back() == progress.step;
                                if (progress.phase == "sampling" && progress.step > 0 && !again) {
                                  EXPECT_EQ(progress.steps, 3);
                                  EXPECT_GE(progress.seconds_left, 0);
                                  steps.push_back(progress.step);
                                }
                                return true;
                              },
                          .preview =
                              [&](const Preview& preview) {
                                EXPECT_EQ(preview.rgb.size(),
                                          static_cast<size_t>(preview.width * preview.height * 3));
                                previews.push_back(preview.step);
                              }});
  EXPECT_EQ(steps, (std::vector{1, 2, 3}));
  EXPECT_EQ(previews, (std::vector{1, 2, 3}));
}

TEST(Api, stops_when_it_is_told) {
  Model model(kModel);
  const Picture whole = model.run(small_job());
  int reports = 0;
  const Error error = error_of([&] {
    model.run(small_job(), {.progress =
                                [&](const Progress& progress) {
                                  ++reports;
                                  return progress.phase != "sampling" || progress.step < 1;
                                },
                            .preview = nullptr});
  });
  EXPECT_EQ(error.code(), "cancelled");
  EXPECT_EQ(error.exit_code(), 8);
  EXPECT_GT(reports, 1);
  EXPECT_EQ(model.run(small_job()).pixels, whole.pixels);
}

TEST(Api, passes_on_what_a_callback_throws) {
  struct Stop {
    int step;
  };
  Model model(kModel);
  try {
    model.run(small_job(), {.progress = nullptr, .preview = [](const Preview& preview) {
                              if (preview.step == 2) throw Stop{preview.step};
                            }});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Stop& stop) {
    EXPECT_EQ(stop.step, 2);
  }
  EXPECT_THROW(
      model.run(small_job(), {.progress = [](const Progress&) -> bool { throw std::out_of_range("mine"); },
                              .preview = nullptr}),
      std::out_of_range);
  EXPECT_NO_THROW(model.run(small_job()));
}

TEST(Api, a_callback_cannot_run_its_model) {
  Model model(kModel);
  const Error error = error_of([&] {
    model.run(small_job(), {.progress =
                                [&](const Progress&) {
                                  model.run(small_job());
                                  return true;
                                },
                            .preview = nullptr});
  });
  EXPECT_EQ(error.code(), "usage");
}

TEST(Api, errors_say_five_things) {
  const Error missing = error_of([] { Model("models/nowhere.safetensors"); });
  EXPECT_EQ(missing.code(), "not-found");
  EXPECT_EQ(missing.exit_code(), 3);

  Model model(kModel);
  const Error field = error_of(
      [&] { model.run_recipe(R"({"schema": "maquette.recipe", "version": 1, "inpaint": {"fethaer": 3}})"); });
  EXPECT_EQ(field.code(), "bad-file");
  EXPECT_STREQ(field.what(), "cannot read the recipe");
  EXPECT_EQ(field.where(), "field inpaint.fethaer");
  EXPECT_EQ(field.found(), "a field that this version does not know");
  EXPECT_EQ(field.hint(), "did you mean \"feather\"?");
  EXPECT_NE(field.message().find("\n  hint      did you mean"), std::string::npos);

  Job job = small_job();
  job.dialect = "latin";
  const Error dialect = error_of([&] { model.run(job); });
  EXPECT_EQ(dialect.expected(), "diffusers, a1111, comfy");
  EXPECT_EQ(error_of([&] { model.run_recipe("{"); }).code(), "bad-file");
  EXPECT_EQ(error_of([] { set_threads(0); }).code(), "usage");
  EXPECT_EQ(error_of([] { Picture().save(scratch("empty.png")); }).exit_code(), 1);
  EXPECT_EQ(error_of([] { read_recipe("models/starter/samples.png"); }).code(), "bad-file");
}

// One model, two threads: each is served in turn, and gets what it would get alone.
TEST(Api, threads_share_a_model) {
  Model model(kModel);
  const std::vector<uint64_t> seeds{1, 2, 3, 4};
  std::vector<std::vector<uint8_t>> alone;
  for (const uint64_t seed : seeds) alone.push_back(model.run(small_job(seed)).pixels);

  std::vector<std::vector<uint8_t>> together(seeds.size());
  const auto work = [&](size_t first) {
    for (size_t i = first; i < seeds.size(); i += 2) together[i] = model.run(small_job(seeds[i])).pixels;
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  EXPECT_EQ(together, alone);
}

// Two models, two threads: both compute at the same time.
TEST(Api, threads_have_models_of_their_own) {
  Model model(kModel);
  const std::vector<uint8_t> first = model.run(small_job(1)).pixels;
  const std::vector<uint8_t> second = model.run(small_job(2)).pixels;
  std::vector<uint8_t> elsewhere;
  std::thread other([&] {
    Model own(kModel);
    elsewhere = own.run(small_job(2)).pixels;
  });
  const std::vector<uint8_t> here = model.run(small_job(1)).pixels;
  other.join();
  EXPECT_EQ(here, first);
  EXPECT_EQ(elsewhere, second);
}

TEST(Api, looks_at_files) {
  const Json model = parse_json(inspect_model(kModel), "inspect").take();
  EXPECT_EQ(model["family"], "sd1");
  EXPECT_TRUE(model["missing"].empty());
  EXPECT_NE(list_samplers().find("dpm++2m-sde"), std::string::npos);
  EXPECT_TRUE(version().starts_with("maquette "));

  // A picture of another program, whose settings are taken over without a word on the terminal.
  testing::internal::CaptureStderr();
  const Json recipe = parse_json(read_recipe("tests/golden/media/text/text.png"), "recipe").take();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(recipe["dialect"], "a1111");
  EXPECT_EQ(recipe["seed"], 5);
}

// --- pictures in memory -----------------------------------------------------------------------------------

Image image_of(const Picture& picture) {
  return {.width = picture.width,
          .height = picture.height,
          .channels = picture.channels,
          .pixels = picture.pixels};
}

// A mask whose left half is painted anew.
Image half_mask(int width, int height) {
  Image mask{.width = width, .height = height, .channels = 1, .pixels = {}};
  for (int i = 0; i < width * height; ++i) mask.pixels.push_back(i % width < width / 2 ? 255 : 0);
  return mask;
}

TEST(Api, pictures_in_memory_are_as_good_as_files) {
  Model model(kModel);
  const Picture layout = model.run(small_job());
  layout.save(scratch("layout.png"));
  Job job = small_job(8);
  job.strength = 0.7;
  job.controls.push_back({.model = "tests/golden/pipelines/models/controlnet_sd1", .weight = 0.8});
  job.init = scratch("layout.png");
  job.controls[0].image = scratch("layout.png");
  const Picture by_file = model.run(job);
  job.init = image_of(layout);
  job.controls[0].image = image_of(layout);
  const Picture by_memory = model.run(job);
  EXPECT_EQ(by_memory.pixels, by_file.pixels);

  // Grey and RGBA are taken too; the alpha of an init picture is dropped.
  Image with_alpha{.width = layout.width, .height = layout.height, .channels = 4, .pixels = {}};
  for (size_t i = 0; i < layout.pixels.size(); i += 3) {
    with_alpha.pixels.insert(with_alpha.pixels.end(), &layout.pixels[i], &layout.pixels[i] + 3);
    with_alpha.pixels.push_back(7);
  }
  job.init = with_alpha;
  EXPECT_EQ(model.run(job).pixels, by_file.pixels);
}

TEST(Api, a_mask_in_memory_keeps_what_is_black) {
  Model model(kModel);
  const Picture layout = model.run(small_job());
  Job job = small_job(8);
  job.init = image_of(layout);
  job.mask = half_mask(layout.width, layout.height);
  const Picture repainted = model.run(job);
  EXPECT_NE(repainted.pixels, layout.pixels);
  for (int y = 0; y < layout.height; ++y) {
    const auto row = static_cast<std::ptrdiff_t>(3 * (y * layout.width + layout.width / 2));
    EXPECT_TRUE(std::equal(layout.pixels.begin() + row, layout.pixels.begin() + row + 3 * layout.width / 2,
                           repainted.pixels.begin() + row));
  }
}

TEST(Api, recipes_name_pictures_in_memory) {
  Model model(kModel);
  const std::string recipe = R"({"schema": "maquette.recipe", "version": 1, "prompt": "dusk", "steps": 3,
      "width": 64, "height": 64, "regions": [{"prompt": "sea", "mask": {"path": "memory:left"}}]})";
  const std::map<std::string, Image> pictures{{"left", half_mask(64, 64)}};
  const Picture first = model.run_recipe(recipe, {}, pictures);
  EXPECT_NE(first.recipe.find("memory:left"), std::string::npos);
  EXPECT_EQ(model.run_recipe(first.recipe, {}, pictures).pixels, first.pixels);

  // The record is held to the pixels, as it is to files.
  std::map<std::string, Image> others = pictures;
  others["left"].pixels[0] = 254;
  EXPECT_EQ(error_of([&] { model.run_recipe(first.recipe, {}, others); }).code(), "refused");
  const Error missing = error_of([&] { model.run_recipe(first.recipe); });
  EXPECT_EQ(missing.code(), "not-found");
  EXPECT_NE(missing.hint().find("hand it over again"), std::string::npos);
  others["rihgt"] = half_mask(64, 64);
  EXPECT_EQ(error_of([&] { model.run_recipe(recipe, {}, others); }).code(), "usage");
  // The program has no such pictures, and says so.
  first.save(scratch("held.png"));
  EXPECT_THROW(
      app::generate({.recipe = app::read_recipe(scratch("held.png")).recipe, .out = scratch("no.png")}),
      maquette::Error);
}

TEST(Api, models_go_by_name) {
  EXPECT_NO_THROW(Model("starter"));
  EXPECT_EQ(error_of([] { Model("startr"); }).hint(), "did you mean starter?");
}

TEST(Api, refuses_pixels_of_another_number) {
  Model model(kModel);
  for (const Image& wrong :
       {Image{.width = 2, .height = 2, .channels = 3, .pixels = std::vector<uint8_t>(11)},
        Image{.width = 2, .height = 2, .channels = 2, .pixels = std::vector<uint8_t>(8)},
        Image{.width = -2, .height = -2, .channels = 3, .pixels = std::vector<uint8_t>(12)},
        Image{.width = 0, .height = 0, .channels = 3, .pixels = std::vector<uint8_t>(1)}}) {
    Job job = small_job();
    job.init = wrong;
    EXPECT_EQ(error_of([&] { model.run(job); }).code(), "usage");
  }
}

}  // namespace
}  // namespace maquette::api
