// WorkerProcess: a worker (app/worker.h) as the process that started it sees it. What kills the worker does
// not touch this process; the worker does not outlive it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/worker_protocol.h"

namespace maquette::app {

struct WorkerOptions {
  std::filesystem::path program;  // empty: the one that is running
  std::vector<std::string> arguments{"worker"};
  int threads = 0;  // 0: as the system says
};

struct WorkerEvent {
  enum class Kind { ready, progress, preview, done, failed, ended };
  Kind kind = Kind::ready;
  std::string id;              // of the job; empty where the event is of none
  Json body;                   // what the worker said (docs/jobs.md)
  std::optional<Error> error;  // of failed and ended
};

// One thread reads the events; the other calls may come from any.
class WorkerProcess {
 public:
  // Starts it and does not wait: `ready` is its first event. Throws Error(not_found, failed).
  explicit WorkerProcess(const WorkerOptions& options = {});
  ~WorkerProcess();  // kills it, where it is still there
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Throw Error(failed) where the worker is gone or takes nothing for some seconds; its last events can still
  // be read then.
  void run(const WorkerJob& job);
  void cancel(const std::string& id);
  void quit();

  // The next event, or none within that time. However a worker ends, also by quit() and terminate(), and even
  // by talking nonsense, its last event is `ended`, with an Error that says how; it is then given again at
  // every call.
  std::optional<WorkerEvent> next(std::chrono::milliseconds timeout);
  // For poll(2) over several workers: readable when there may be events. Call next(0 ms) until there is none.
  int events_descriptor() const;

  // SIGTERM, and SIGKILL where it is still there after that time. Returns once it is gone.
  void terminate(std::chrono::milliseconds grace);
  bool is_running();
  int pid() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace maquette::app
