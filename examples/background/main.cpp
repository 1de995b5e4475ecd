// Paints proposals for one background, shows how far it is, and stops at Ctrl-C within one step.
//
//   background "sunset, red mesas, ringed planet"            two proposals by the starter model, here
//   background RECIPE.json|PICTURE [MODEL [OUT.png]]         the picture of a recipe
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <maquette/maquette.h>
#include <string>

namespace mq = maquette::api;

namespace {

std::atomic<bool> g_stop{false};

bool show(const mq::Progress& progress) {
  if (progress.steps > 0) {
    std::fprintf(stderr, "\r%.*s %d/%d ", static_cast<int>(progress.phase.size()), progress.phase.data(),
                 progress.step, progress.steps);
  }
  return !g_stop;
}

void look_at(const mq::Preview& preview) {
  // A window would show preview.rgb here; the example tells its mean brightness.
  long sum = 0;
  for (const uint8_t value : preview.rgb) sum += value;
  std::fprintf(stderr, "(brightness %ld)", sum / static_cast<long>(preview.rgb.size()));
}

void paint(const std::string& brief, const std::string& model_file, const std::string& out) {
  mq::Model model(model_file);
  const mq::Callbacks callbacks{.progress = show, .preview = look_at};
  if (std::filesystem::is_regular_file(brief)) {
    const mq::Picture picture = model.run_recipe(mq::read_recipe(brief), callbacks);
    picture.save(out);
    std::printf("%s %dx%d\n", out.c_str(), picture.width, picture.height);
    return;
  }
  // The model stays in memory: the second picture starts at once.
  for (const uint64_t seed : {40, 41}) {
    const mq::Picture picture = model.run(
        {.prompt = brief, .width = 160, .height = 128, .steps = 25, .cfg = 3, .seed = seed}, callbacks);
    const std::string file = "background_" + std::to_string(seed) + ".png";
    picture.save(file);
    std::printf("\n%s\n%s\n", file.c_str(), picture.parameters.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: background BRIEF, or background RECIPE [MODEL [OUT]]\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { g_stop = true; });
  try {
    paint(argv[1], argc > 2 ? argv[2] : STARTER_MODEL, argc > 3 ? argv[3] : "background.png");
    return 0;
  } catch (const mq::Error& error) {
    std::fprintf(stderr, "\nbackground: %s\n", error.message().c_str());
    return error.exit_code();
  }
}
