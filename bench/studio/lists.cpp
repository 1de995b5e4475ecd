// Measures every list of a large studio: fills one with a million takes (once; the folder is kept), then asks
// for pages of every list, at its beginning and deep inside, with each filter and with searches for frequent,
// rare and missing words. Prints the median, the 95th percentile and the longest time of each question.
//
//   lists FOLDER [--db postgresql://...] [--takes 1000000] [--rounds 40] [--only NAME] [--json]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "app/studio/operation.h"
#include "base/text.h"
#include "large_studio.h"

namespace maquette::bench {
namespace {

using Random = std::mt19937_64;

// One kind of question: the arguments are drawn anew for each round.
struct Question {
  std::string operation;
  std::string what;
  std::function<Json(Random&)> arguments;
};

struct Times {
  double median = 0, p95 = 0, longest = 0;  // milliseconds
  int64_t lines = 0;                        // of all rounds
};

int64_t below(Random& random, int64_t end) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(end));
}

std::vector<Question> questions(const LargeStudio& size, const Words& words) {
  const Json show = {{"show", "large"}};
  std::vector<Question> all;
  const auto ask = [&](std::string operation, std::string what, const std::function<Json(Random&)>& more) {
    all.push_back({std::move(operation), std::move(what), more});
  };
  // The first page, and one from anywhere.
  const auto of_show = [&](const std::string& operation, const std::string& what, const Json& more,
                           const std::function<std::string(Random&)>& cursor) {
    Json arguments = show;
    if (!more.is_null()) arguments.update(more);
    ask(operation, what, [arguments](Random&) { return arguments; });
    if (!cursor) return;
    ask(operation, what + ", from anywhere", [arguments, cursor](Random& random) {
      Json deep = arguments;
      deep["after"] = cursor(random);
      return deep;
    });
  };
  const auto seq = [&](int64_t rows) {
    return [rows](Random& random) { return fmt::format("{}", 1 + below(random, rows)); };
  };
  const auto path = [=, &size, &words](Random& random) { return shot_path(below(random, size.shots())); };
  const auto searching = [&](const std::string& operation, const std::string& what, Json more,
                             const std::function<std::string(Random&)>& text) {
    if (more.is_null()) more = Json::object();
    more.update(show);
    ask(operation, what, [more, text](Random& random) {
      Json arguments = more;
      arguments["search"] = text(random);
      return arguments;
    });
  };

  // --- takes ---
  const auto cursor = seq(size.takes);
  of_show("take search", "all", {}, cursor);
  of_show("take search", "500 lines", {{"limit", 500}}, cursor);
  for (const char* origin : {"generated", "edited", "imported", "composite"})
    of_show("take search", fmt::format("origin {}", origin), {{"origin", origin}}, cursor);
  for (const char* state : {"proposed", "approved", "withdrawn", "purged", "all"})
    of_show("take search", fmt::format("state {}", state), {{"state", state}}, cursor);
  of_show("take search", "a frequent model", {{"model", model_name(0)}}, cursor);
  of_show("take search", "a rare model", {{"model", model_name(LargeStudio::kModels - 1)}}, cursor);
  of_show("take search", "a model that nobody used", {{"model", "nothing"}}, cursor);
  of_show("take search", "a busy person", {{"person", id_of('p', 2)}}, cursor);
  of_show("take search", "a person who filed little", {{"person", id_of('p', 198)}}, cursor);
  for (const char* verdict : {"validated", "rejected"})
    of_show("take search", fmt::format("verdict {}", verdict), {{"verdict", verdict}}, cursor);
  of_show("take search", "a rare model, composite",
          {{"model", model_name(LargeStudio::kModels - 1)}, {"origin", "composite"}}, cursor);
  of_show("take search", "rejected, approved", {{"verdict", "rejected"}, {"state", "approved"}}, cursor);
  const auto frequent = [=, &size, &words](Random& random) {
    return words.at(static_cast<size_t>(below(random, 5)));
  };
  const auto usual = [=, &size, &words](Random& random) {
    return words.at(static_cast<size_t>(100 + below(random, 400)));
  };
  const auto rare = [=, &size, &words](Random& random) {
    return words.at(words.size() - 1 - static_cast<size_t>(below(random, 500)));
  };
  searching("take search", "a frequent word", {}, frequent);
  searching("take search", "a usual word", {}, usual);
  searching("take search", "a rare word", {}, rare);
  searching("take search", "a missing word", {}, [](Random&) { return "zzzq"; });
  searching("take search", "two letters", {},
            [=, &size, &words](Random& random) { return usual(random).substr(0, 2); });
  searching("take search", "one letter", {},
            [=, &size, &words](Random& random) { return usual(random).substr(0, 1); });
  searching("take search", "two frequent words", {},
            [=, &size, &words](Random& random) { return frequent(random) + " " + frequent(random); });
  searching("take search", "two usual words", {},
            [=, &size, &words](Random& random) { return usual(random) + " " + usual(random); });
  searching("take search", "a frequent and a rare word", {},
            [=, &size, &words](Random& random) { return frequent(random) + " " + rare(random); });
  searching("take search", "beginnings of three words", {}, [=, &size, &words](Random& random) {
    return frequent(random).substr(0, 4) + " " + usual(random).substr(0, 4) + " " +
           usual(random).substr(0, 3);
  });
  searching("take search", "a shot's path", {}, path);
  searching("take search", "a seed", {}, [=, &size, &words](Random& random) {
    return fmt::format("{}", below(random, size.takes) * 7919);
  });
  searching("take search", "a frequent word, composite", {{"origin", "composite"}}, frequent);
  searching("take search", "a usual word, composite", {{"origin", "composite"}}, usual);
  searching("take search", "a frequent word, approved", {{"state", "approved"}}, frequent);
  searching("take search", "a usual word, rejected", {{"verdict", "rejected"}}, usual);
  searching("take search", "a frequent word, a rare model", {{"model", model_name(LargeStudio::kModels - 1)}},
            frequent);
  searching("take search", "a frequent word, a rare person", {{"person", id_of('p', 198)}}, frequent);
  searching("take search", "a frequent word, withdrawn", {{"state", "withdrawn"}}, frequent);

  const auto of_task = [&](const std::string& operation, const std::string& what, const Json& more) {
    ask(operation, what, [&size, more](Random& random) {
      Json arguments = {{"task", id_of('k', below(random, size.tasks()))}};
      if (!more.is_null()) arguments.update(more);
      return arguments;
    });
  };
  of_task("take list", "of a task", {});
  of_task("take list", "of a revision", {{"revision", 1}});
  of_task("take list", "withdrawn", {{"state", "withdrawn"}});
  of_task("take list", "with a word", {{"search", words.at(0)}});
  of_task("comment list", "of a task", {});
  ask("comment list", "of a task much talked about", [&size](Random& random) {
    return Json{{"task", id_of('k', below(random, 25) * 1000 % size.tasks())}};
  });

  // --- shots, assets, tasks, the board ---
  const auto part_of_path = [=, &size, &words](Random& random) { return path(random).substr(2, 8); };
  for (const char* list : {"shot list", "asset list", "sequence list", "entity list"}) {
    of_show(list, "all", {}, path);
    searching(list, "part of a path", {}, part_of_path);
    searching(list, "a name", {}, usual);
    searching(list, "missing", {}, [](Random&) { return "zzzq"; });
    searching(list, "two letters", {}, [](Random&) { return "zq"; });
    searching(list, "one letter", {}, [](Random&) { return "w"; });
  }
  of_show("episode list", "none", {}, path);
  ask("shot list", "of a sequence", [=, &size, &words](Random& random) {
    return Json{{"show", "large"}, {"parent", id_of('q', below(random, size.shots() / 100))}};
  });
  of_show("asset list", "textures", {{"asset_type", "texture"}}, path);
  of_show("shot list", "complete", {{"status", "complete"}}, path);
  of_show("board", "all", {}, path);
  of_show("board", "500 lines", {{"limit", 500}}, path);
  ask("board", "a jump", [=, &size, &words](Random& random) {
    return Json{{"show", "large"}, {"offset", below(random, size.shots())}};
  });
  for (const char* status : {"todo", "wip", "wfa", "retake", "done", "ready"})
    of_show("board", fmt::format("status {}", status), {{"status", status}}, path);
  of_show("board", "of a type", {{"task_type", "matte"}}, path);
  of_show("board", "assets", {{"kind", "asset"}}, nullptr);
  searching("board", "part of a path", {}, part_of_path);
  searching("board", "a name", {}, usual);
  searching("board", "missing", {}, [](Random&) { return "zzzq"; });
  searching("board", "two letters", {}, [](Random&) { return "zq"; });
  searching("board", "a name, in review", {{"status", "wfa"}}, usual);
  of_show("task list", "all", {}, [=, &size, &words](Random& random) { return path(random) + "|"; });
  for (const char* status : {"wfa", "done"})
    of_show("task list", fmt::format("status {}", status), {{"status", status}},
            [=, &size, &words](Random& random) { return path(random) + "|"; });
  of_show("task list", "of a type", {{"task_type", "matte"}}, nullptr);
  ask("task list", "of a person", [](Random& random) {
    return Json{{"show", "large"}, {"assignee", id_of('p', below(random, LargeStudio::kPeople))}};
  });
  ask("task list", "of a person, in review", [](Random& random) {
    return Json{
        {"show", "large"}, {"status", "wfa"}, {"assignee", id_of('p', below(random, LargeStudio::kPeople))}};
  });
  ask("task list", "of a shot", [=, &size, &words](Random& random) {
    return Json{{"show", "large"}, {"entity", "large/" + path(random)}};
  });
  searching("task list", "part of a path", {}, part_of_path);
  searching("task list", "missing", {}, [](Random&) { return "zzzq"; });
  searching("task list", "two letters", {}, [](Random&) { return "zq"; });

  // --- jobs, playlists, events ---
  of_show("job list", "of a show", {}, seq(size.jobs()));
  ask("job list", "of all shows", [](Random&) { return Json::object(); });
  for (const char* state : {"open", "queued", "running", "done", "failed", "canceled"})
    of_show("job list", state, {{"state", state}}, seq(size.jobs()));
  ask("job list", "of a task", [=, &size, &words](Random& random) {
    return Json{{"task", id_of('k', below(random, size.tasks()))}};
  });
  of_show("playlist list", "of a show", {}, nullptr);
  const auto event = seq(size.takes * 3 / 2);
  of_show("event list", "of a show", {}, event);
  ask("event list", "of all shows", [](Random&) { return Json::object(); });
  for (const char* action :
       {"take:new", "take:approve", "task:update", "take:", "task:", "show:", "nothing:", "nothing:done"})
    of_show("event list", action, {{"action", action}}, event);
  ask("event list", "of all shows, task:update", [](Random&) { return Json{{"action", "task:update"}}; });
  ask("event list", "of a take", [=, &size, &words](Random& random) {
    return Json{{"subject", id_of('t', below(random, size.takes))}};
  });
  of_show("event list", "of a person", {{"person", id_of('p', 7)}}, event);
  of_show("event list", "of a person, take:approve", {{"person", id_of('p', 7)}, {"action", "take:approve"}},
          event);
  of_show("event list", "of a person, task:update", {{"person", id_of('p', 7)}, {"action", "task:update"}},
          event);
  ask("show list", "all", [](Random&) { return Json::object(); });
  ask("user list", "all", [](Random&) { return Json::object(); });
  ask("cast list", "of a shot", [=, &size, &words](Random& random) {
    return Json{{"entity", id_of('s', below(random, size.shots()))}};
  });
  ask("cast list", "of an asset", [](Random& random) {
    return Json{{"entity", id_of('a', below(random, LargeStudio::kAssets))}};
  });
  return all;
}

// Every list with pages must be asked: a new one is not forgotten here.
void require_all_lists(const std::vector<Question>& asked) {
  std::set<std::string_view> names;
  for (const Question& question : asked) names.insert(question.operation);
  for (const app::Operation& operation : app::operations()) {
    const bool paged =
        std::ranges::find(operation.parameters, "after", &app::Parameter::name) != operation.parameters.end();
    if (paged && !names.contains(operation.name))
      throw Error(ErrorCode::failed, "the list \"{}\" is not measured", operation.name);
  }
}

Times measure(app::Studio& studio, const production::Caller& caller, const Question& question, int rounds) {
  const app::Operation* operation = app::find_operation(question.operation);
  if (!operation) throw Error(ErrorCode::failed, "there is no list \"{}\"", question.operation);
  Random random(11);
  std::vector<double> times;
  Times result;
  for (int round = 0; round < rounds; ++round) {
    app::Call call{studio, caller, question.arguments(random)};
    const auto begin = std::chrono::steady_clock::now();
    // Not run_operation(): the cursors drawn here have no checksum.
    const app::Reply reply = operation->run(call);
    const std::string sent = reply.body.dump();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    result.lines += static_cast<int64_t>(reply.body["items"].size());
  }
  std::ranges::sort(times);
  result.median = times[times.size() / 2];
  result.p95 = times[std::min(times.size() - 1, times.size() * 95 / 100)];
  result.longest = times.back();
  return result;
}

int run(const std::vector<std::string>& arguments) {
  app::StudioOptions options;
  LargeStudio size;
  int rounds = 40;
  std::string only;
  bool json = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto value = [&] { return i + 1 < arguments.size() ? arguments[++i] : std::string(); };
    if (arguments[i] == "--db")
      options.database = value();
    else if (arguments[i] == "--takes")
      size.takes = parse_integer(value()).value_or(size.takes);
    else if (arguments[i] == "--rounds")
      rounds = static_cast<int>(parse_integer(value()).value_or(rounds));
    else if (arguments[i] == "--only")
      only = value();
    else if (arguments[i] == "--json")
      json = true;
    else
      options.folder = arguments[i];
  }
  app::Studio studio(options);
  if (!studio.database().connect()->first("SELECT id FROM shows WHERE code = 'large'")) fill(studio, size);
  const production::Caller caller = app::local_caller(studio);
  const Words words;
  const std::vector<Question> all = questions(size, words);
  require_all_lists(all);

  double worst = 0;
  Json lines = Json::array();
  if (!json)
    fmt::print("{:<15} {:<42} {:>9} {:>9} {:>9} {:>7}\n", "list", "question", "median ms", "p95 ms",
               "longest", "lines");
  for (const Question& question : all) {
    if (!only.empty() && (question.operation + " " + question.what).find(only) == std::string::npos) continue;
    const Times times = measure(studio, caller, question, rounds);
    worst = std::max(worst, times.p95);
    if (json) {
      lines.push_back({{"list", question.operation},
                       {"question", question.what},
                       {"median_ms", times.median},
                       {"p95_ms", times.p95},
                       {"longest_ms", times.longest},
                       {"lines", times.lines}});
    } else {
      fmt::print("{:<15} {:<42} {:>9.1f} {:>9.1f} {:>9.1f} {:>7}{}\n", question.operation, question.what,
                 times.median, times.p95, times.longest, times.lines / rounds,
                 times.p95 > 50 ? "  <-- slow" : "");
    }
    std::fflush(stdout);
  }
  if (json)
    fmt::print("{}\n", Json{{"lists", lines}, {"worst_p95_ms", worst}}.dump(1));
  else
    fmt::print("the slowest: {:.1f} ms at the 95th percentile\n", worst);
  return 0;
}

}  // namespace
}  // namespace maquette::bench

int main(int argc, char** argv) try {
  return maquette::bench::run(std::vector<std::string>(argv + 1, argv + argc));
} catch (const maquette::Error& error) {
  fmt::print(stderr, "{}\n", error.message());
  return 1;
}
