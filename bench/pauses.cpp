// pauses MODEL LORA [--size 512] [--steps 2]
//
// How long a session stands still when something about the picture changes: a LoRA is switched on, off or to
// another weight, the size or the prompt is another one. Each change is made, then repeated unchanged: the
// pause is what the first of the two pictures took more than the second, the work that only the change
// caused.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <maquette/maquette.h>
#include <string>
#include <string_view>

using namespace maquette::api;

namespace {

struct Timing {
  double all = 0;     // seconds
  double prompt = 0;  // of them spent reading the prompt
};

Timing time_of(Model& model, const Job& job) {
  const auto begin = std::chrono::steady_clock::now();
  const Picture picture = model.run(job);
  Timing timing{.all = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
  for (const auto& [phase, seconds] : picture.seconds) {
    if (phase == "encode prompt") timing.prompt = seconds;
  }
  return timing;
}

void report(const char* change, Model& model, const Job& job) {
  const Timing first = time_of(model, job);
  double again = 1e9;
  for (int i = 0; i < 2; ++i) again = std::min(again, time_of(model, job).all);
  std::printf("| %-24s | %6.2f s | %6.2f s | %+6.2f s | %5.2f s |\n", change, first.all, again,
              first.all - again, first.prompt);
  std::fflush(stdout);
}

int run(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: pauses MODEL LORA [--size 512] [--steps 2]\n");
    return 2;
  }
  Job job{.prompt = "a castle", .negative = "blur", .width = 512, .height = 512, .steps = 2, .seed = 1};
  for (int i = 3; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const int value = std::atoi(arguments[i + 1]);
    if (name == "--size") job.width = job.height = value;
    if (name == "--steps") job.steps = value;
  }
  Model model(arguments[1]);
  std::printf(
      "| change | first picture | the same again | pause | of it the prompt |\n|---|---|---|---|---|\n");
  report("start", model, job);
  job.loras = {{.file = arguments[2], .weight = 0.8}};
  report("LoRA on", model, job);
  job.loras[0].weight = 0.4;
  report("LoRA to another weight", model, job);
  job.loras.clear();
  report("LoRA off", model, job);
  job.loras = {{.file = arguments[2], .weight = 0.8}};
  report("LoRA on again", model, job);
  job.loras.clear();
  report("LoRA off again", model, job);
  job.prompt = "a lighthouse in the rain";
  report("another prompt", model, job);
  job.width = job.width * 5 / 4 / 64 * 64;
  report("another size", model, job);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const Error& error) {
    std::fprintf(stderr, "pauses: %s\n", error.what());
    return 1;
  }
}
