#include "app/worker_process.h"

#include <atomic>
#include <csignal>

#include "app/child_process.h"
#include "app/line_buffer.h"

namespace maquette::app {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kRequestTimeout(5000);  // for a worker to take what it is sent: it always reads
constexpr milliseconds kEndTimeout(2000);      // between the end of its output and its own

// While the program is being replaced by a newer one, this is still the one that runs.
const char* const kThisProgram = "/proc/self/exe";

std::vector<std::string> arguments_of(const WorkerOptions& options) {
  std::vector<std::string> arguments = options.arguments;
  if (options.threads > 0) {
    arguments.push_back("--threads");
    arguments.push_back(fmt::format("{}", options.threads));
  }
  return arguments;
}

std::optional<WorkerEvent::Kind> kind_of(std::string_view name) {
  using Kind = WorkerEvent::Kind;
  constexpr std::pair<std::string_view, Kind> kNames[] = {{"ready", Kind::ready},
                                                          {"progress", Kind::progress},
                                                          {"preview", Kind::preview},
                                                          {"done", Kind::done},
                                                          {"failed", Kind::failed}};
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

// None where this is nothing that a worker says.
std::optional<WorkerEvent> read_event(const LineBuffer::Line& line) {
  if (line.too_long) return std::nullopt;
  const Result<Json> message = parse_json(line.text, "event");
  if (!message || !message->is_object() || message->size() != 1) return std::nullopt;
  const auto first = message->items().begin();
  const std::optional<WorkerEvent::Kind> kind = kind_of(first.key());
  if (!kind || !first.value().is_object()) return std::nullopt;
  WorkerEvent event{.kind = *kind, .id = {}, .body = first.value(), .error = {}};
  if (event.body.contains("id") && event.body["id"].is_string()) event.id = event.body["id"];
  if (event.kind == WorkerEvent::Kind::failed) {
    event.error = error_from_json(event.body.contains("error") ? event.body["error"] : Json());
  }
  return event;
}

}  // namespace

struct WorkerProcess::State {
  explicit State(const WorkerOptions& options)
      : child(options.program.empty() ? kThisProgram : options.program, arguments_of(options)) {}

  ChildProcess child;
  LineBuffer lines{kLongestLine};
  std::optional<WorkerEvent> ended;

  void send(const Json& request) {
    child.write(request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", kRequestTimeout);
  }
  const WorkerEvent& end(std::string_view nonsense);
  std::optional<WorkerEvent> nothing_came();
};

// Something else may hold the other end of the pipe, so that its end is not noticed.
std::optional<WorkerEvent> WorkerProcess::State::nothing_came() {
  if (!child.wait(milliseconds(0))) return std::nullopt;
  const std::optional<std::string> last = child.read(milliseconds(0));
  if (!last || last->empty()) return end("");
  lines.add(*last);
  return std::nullopt;
}

// Takes the worker's end to the notes; where it has not ended, it is ended.
const WorkerEvent& WorkerProcess::State::end(std::string_view nonsense) {
  if (!nonsense.empty() || !child.wait(kEndTimeout)) child.signal(SIGKILL);
  child.wait(std::chrono::hours(1));
  Error error(ErrorCode::failed, "the worker {} ended", child.pid());
  error.with("found", child.how_it_ended());
  if (!nonsense.empty()) error.with("after", nonsense);
  error.hint(
      "run the job again in another worker: with the same journal it goes on at the step that was lost");
  return ended.emplace(WorkerEvent{.kind = WorkerEvent::Kind::ended, .id = {}, .body = {}, .error = error});
}

WorkerProcess::WorkerProcess(const WorkerOptions& options) : state_(std::make_unique<State>(options)) {}
WorkerProcess::~WorkerProcess() = default;

void WorkerProcess::run(const WorkerJob& job) { state_->send({{"run", to_json(job)}}); }
void WorkerProcess::cancel(const std::string& id) { state_->send({{"cancel", id}}); }
void WorkerProcess::quit() { state_->send({{"quit", true}}); }

std::optional<WorkerEvent> WorkerProcess::next(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!state_->ended) {
    if (const std::optional<LineBuffer::Line> line = state_->lines.next()) {
      std::optional<WorkerEvent> event = read_event(*line);
      if (!event) return state_->end(fmt::format("it said \"{}\"", line->text.substr(0, 200)));
      return event;
    }
    const auto left = std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds(0));
    const std::optional<std::string> bytes = state_->child.read(left);
    if (!bytes) return state_->end("");
    if (bytes->empty() && Clock::now() >= deadline) return state_->nothing_came();
    state_->lines.add(*bytes);
  }
  return state_->ended;
}

int WorkerProcess::events_descriptor() const { return state_->child.output_descriptor(); }

void WorkerProcess::terminate(milliseconds grace) {
  state_->child.signal(SIGTERM);
  if (state_->child.wait(grace)) return;
  state_->child.signal(SIGKILL);
  state_->child.wait(std::chrono::hours(1));
}

bool WorkerProcess::is_running() { return !state_->child.wait(milliseconds(0)); }
int WorkerProcess::pid() const { return state_->child.pid(); }

}  // namespace maquette::app
