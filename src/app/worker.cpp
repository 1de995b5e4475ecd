// Two threads: one reads requests, so that a job can be stopped while it runs and the end of the input is
// noticed at once; the other (the caller's) makes one picture after the other.
#include "app/worker.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <fstream>
#include <mutex>
#include <new>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

#include "app/generate.h"
#include "app/line_buffer.h"
#include "app/picture_record.h"
#include "app/session.h"
#include "app/worker_protocol.h"
#include "base/log.h"
#include "kernels/threads.h"
#include "media/image_io.h"

namespace maquette::app {

namespace {

using Clock = std::chrono::steady_clock;

// The way out. Lines of several threads do not mix.
class Answers {
 public:
  explicit Answers(int descriptor) : descriptor_(descriptor) {}

  void say(const char* kind, const Json& body) {
    const std::string line = Json{{kind, body}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    for (size_t done = 0; done < line.size();) {
      const ssize_t wrote = ::write(descriptor_, line.data() + done, line.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) std::_Exit(0);  // nobody listens any more
      done += static_cast<size_t>(wrote);
    }
  }
  // What may be left out where nobody reads: a picture does not wait for it.
  void mention(const char* kind, const Json& body) {
    pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0) say(kind, body);
  }
  void failed(const Json& id, const Error& error) { say("failed", {{"id", id}, {"error", to_json(error)}}); }

 private:
  int descriptor_;
  std::mutex mutex_;
};

// The jobs that wait and the one that runs.
class Jobs {
 public:
  // False where there are too many, or one of this id.
  bool add(WorkerJob job) {
    const std::lock_guard lock(mutex_);
    constexpr size_t kMost = 64;
    const auto same = [&](const WorkerJob& other) { return other.id == job.id; };
    if (waiting_.size() >= kMost || running_ == job.id || std::ranges::any_of(waiting_, same)) return false;
    waiting_.push_back(std::move(job));
    changed_.notify_one();
    return true;
  }
  // Whether it waited, and so will never run. One that runs is stopped within a step.
  bool cancel(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (running_ == id) stopped_ = true;
    return std::erase_if(waiting_, [&](const WorkerJob& job) { return job.id == id; }) > 0;
  }
  void quit() {
    const std::lock_guard lock(mutex_);
    quitting_ = stopped_ = true;
    changed_.notify_one();
  }

  // Waits for a job; none once it is time to go.
  std::optional<WorkerJob> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return quitting_ || !waiting_.empty(); });
    if (quitting_) return std::nullopt;
    WorkerJob job = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = job.id;
    stopped_ = false;
    return job;
  }
  // Before the job's last word is said, so that whoever hears it may ask for the next.
  void ended() {
    const std::lock_guard lock(mutex_);
    running_.reset();
  }
  bool stopped() const { return stopped_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WorkerJob> waiting_;
  std::optional<std::string> running_;
  std::atomic<bool> stopped_ = false;
  bool quitting_ = false;
};

class Worker {
 public:
  Worker(int in, int out) : in_(in), answers_(out) {}

  void run() {
    answers_.say("ready",
                 {{"pid", ::getpid()}, {"version", version()}, {"threads", kernels::thread_count()}});
    std::thread reader([this] { read_requests(); });
    while (const std::optional<WorkerJob> job = jobs_.next()) make(*job);
    reader.join();
  }

 private:
  void read_requests();
  void take(const LineBuffer::Line& line);
  void take_run(const Json& body);
  void make(const WorkerJob& job);
  Json make_picture(const WorkerJob& job);
  SessionCallbacks callbacks_of(const WorkerJob& job);

  int in_;
  Answers answers_;
  Jobs jobs_;
  bool quitting_ = false;           // the reader's
  std::optional<Session> session_;  // keeps the model of the last job
};

void Worker::read_requests() {
  LineBuffer lines(kLongestLine);
  char bytes[1 << 16];
  while (!quitting_) {
    const ssize_t got = ::read(in_, bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR) continue;
    // Whoever asked is gone. Files are written atomically, and the journal holds every step that was
    // finished.
    if (got <= 0) std::_Exit(0);
    lines.add({bytes, static_cast<size_t>(got)});
    while (const std::optional<LineBuffer::Line> line = lines.next()) take(*line);
  }
}

void Worker::take(const LineBuffer::Line& line) {
  try {
    if (line.too_long) {
      throw Error(ErrorCode::usage, "cannot read a request").with("expected", "a shorter line");
    }
    const Json message = parse_json(line.text, "request").take();
    const bool one = message.is_object() && message.size() == 1;
    const std::string kind = one ? message.items().begin().key() : "";
    if (kind == "run") return take_run(message["run"]);
    if (kind == "cancel" && message["cancel"].is_string()) {
      const std::string id = message["cancel"];
      if (jobs_.cancel(id)) answers_.failed(id, Error(ErrorCode::cancelled, "stopped before it began"));
      return;
    }
    if (kind == "quit" && message["quit"] == true) {
      quitting_ = true;
      return jobs_.quit();
    }
    throw Error(ErrorCode::usage, "cannot read a request")
        .with("expected", R"({"run": {...}}, {"cancel": "ID"} or {"quit": true})");
  } catch (const Error& error) {
    answers_.failed(nullptr, error);
  } catch (const std::exception& error) {
    answers_.failed(nullptr, Error(ErrorCode::usage, "cannot read a request").with("found", error.what()));
  }
}

void Worker::take_run(const Json& body) {
  const bool named = body.is_object() && body.contains("id") && body["id"].is_string();
  const Result<WorkerJob> job = worker_job_from_json(body);
  if (!job) return answers_.failed(named ? body["id"] : Json(), job.error());
  if (!jobs_.add(*job)) {
    answers_.failed(nullptr, Error(ErrorCode::refused, "cannot take the job \"{}\"", job->id)
                                 .with("found", "one of this id, or too many that wait"));
  }
}

SessionCallbacks Worker::callbacks_of(const WorkerJob& job) {
  struct Told {
    std::string phase;
    int done = -1;
    Clock::time_point at;
  };
  SessionCallbacks callbacks{.preview_every = job.preview_every, .journal = job.journal};
  // A change of phase is told at once, steps at most ten times a second.
  callbacks.progress = [this, id = job.id, told = Told()](const ProgressReport& report) mutable {
    const Clock::time_point now = Clock::now();
    const bool new_phase = report.phase != told.phase;
    const bool due = report.done != told.done && now - told.at >= std::chrono::milliseconds(100);
    if (new_phase || due) {
      told = {.phase = std::string(report.phase), .done = report.done, .at = now};
      Json body{{"id", id}, {"phase", report.phase}, {"step", report.done}, {"steps", report.total}};
      body["resumed_steps"] = report.known;
      if (report.seconds_left >= 0) body["seconds_left"] = report.seconds_left;
      answers_.mention("progress", body);
    }
    return !jobs_.stopped();
  };
  if (job.preview.empty()) return callbacks;
  callbacks.preview = [this, &job](const PreviewPicture& preview) {
    try {
      media::write_image(
          job.preview, media::Image8(Tensor::from<uint8_t>({preview.height, preview.width, 3}, preview.rgb)));
      answers_.mention("preview", {{"id", job.id}, {"step", preview.step}, {"file", job.preview.string()}});
    } catch (const Error& error) {
      log::warning("no preview of step {}: {}", preview.step, error.message());
    }
  };
  return callbacks;
}

Json Worker::make_picture(const WorkerJob& job) {
  const SessionCallbacks callbacks = callbacks_of(job);
  callbacks.progress({.phase = "loading"});
  if (!session_) session_.emplace(job.recipe);
  const MadePicture made = session_->run(job.recipe, callbacks);
  write_picture(job.out,
                {.width = made.width,
                 .height = made.height,
                 .channels = made.channels,
                 .pixels = made.pixels,
                 .values = made.values,
                 .parameters = made.parameters,
                 .record = made.record},
                job.bits);
  Json seconds = Json::object();
  for (const auto& [phase, value] : made.seconds) seconds[phase] = value;
  Json measures = Json::object();
  for (const auto& [measure, value] : made.measures) measures[measure] = value;
  return {{"id", job.id},
          {"file", job.out.string()},
          {"width", made.width},
          {"height", made.height},
          {"recipe", to_json(made.recipe)},
          {"recipe_hash", recipe_hash(made.recipe)},
          {"record", made.record},
          {"parameters", made.parameters},
          {"seconds", seconds},
          {"measures", measures},
          {"notes", made.notes},
          {"peak_memory", peak_memory()},
          {"resumed_steps", made.known_evaluations}};
}

void Worker::make(const WorkerJob& job) {
  std::optional<Error> error;
  Json done;
  try {
    done = make_picture(job);
  } catch (const Error& thrown) {
    error = thrown;
  } catch (const std::bad_alloc&) {
    error = Error(ErrorCode::no_memory, "not enough memory").hint("try a smaller size, or tiles");
  } catch (const std::exception& thrown) {
    error = Error(ErrorCode::failed, "{}", thrown.what());
  }
  jobs_.ended();
  if (error) return answers_.failed(job.id, *error);
  answers_.say("done", done);
}

}  // namespace

void serve_jobs() {
  // Libraries that print must not come between the answers.
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    throw Error(ErrorCode::failed, "cannot take over standard output");
  }
  std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_NAME,
          "maquette-worker");  // for lists of processes: it may have been started as /proc/self/exe
  // Where memory runs out, the system is to end a worker and not the program that started it.
  std::ofstream("/proc/self/oom_score_adj") << 500;
  Worker(STDIN_FILENO, out).run();
}

}  // namespace maquette::app
