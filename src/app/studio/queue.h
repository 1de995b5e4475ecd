// Queue: takes jobs from the database, has workers make their pictures, and files these as takes. The same
// for the server and for `maquette job run`: several may work on one studio at once.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/studio/studio.h"
#include "app/worker_process.h"

namespace maquette::app {

struct QueueOptions {
  int threads = 0;  // of a worker; 0: all
  WorkerOptions worker = {};
  bool until_empty = false;                      // else wait for more
  std::function<void(const Json&)> report = {};  // {job, event, ...}: what happens, for the terminal
};

// One worker's loop: returns when `stop` is set or, where asked for, the queue is empty. A job in work is
// then given back, its journal kept: whoever takes it next goes on at its last step.
class Queue {
 public:
  Queue(Studio& studio, QueueOptions options);
  ~Queue();
  void run(const std::atomic<bool>& stop);

 private:
  struct Work;
  void run_job(const db::Row& job, const std::atomic<bool>& stop);
  bool make_picture(Work& work, const std::atomic<bool>& stop);
  bool handle(Work& work, const WorkerEvent& event);
  void file_picture(Work& work, const Json& done);
  void fail(Work& work, const Error& error, bool try_again);
  void report(const Work& work, std::string_view event, Json more = Json::object());
  WorkerProcess& worker();

  Studio& studio_;
  QueueOptions options_;
  std::string runner_;
  std::string model_;  // that the worker has loaded
  std::unique_ptr<WorkerProcess> worker_;
};

// Several queues side by side, each with a worker of its own.
class QueuePool {
 public:
  QueuePool(Studio& studio, int workers, const QueueOptions& options = {});
  ~QueuePool();  // stop()
  // Gives back what is in work; returns when the workers are gone.
  void stop();
  // Waits until all have ended by themselves (QueueOptions::until_empty).
  void join();

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

// Where the step preview of a job is, while it runs.
std::filesystem::path preview_of(const Studio& studio, const std::string& job_id);

}  // namespace maquette::app
