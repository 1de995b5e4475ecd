// fork(2) and execv(2). Between the two only what is safe there in a process of many threads: system calls.
#include "app/child_process.h"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace maquette::app {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// The kernel ends a child with the *thread* that made it, so all are made by one that lasts as long as the
// process.
class LastingThread {
 public:
  static LastingThread& get() {
    static auto* thread = new LastingThread;  // never destroyed: that is its purpose
    return *thread;
  }
  pid_t run(const std::function<pid_t()>& task) {
    const std::lock_guard one_at_a_time(callers_);
    std::unique_lock lock(mutex_);
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [this] { return task_ == nullptr; });
    return result_;
  }

 private:
  LastingThread() {
    std::thread([this] { loop(); }).detach();
  }
  void loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return task_ != nullptr; });
      result_ = (*task_)();
      task_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex callers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<pid_t()>* task_ = nullptr;
  pid_t result_ = -1;
};

// In the child. Its own files are standard input, output and error; what this process has open is closed.
[[noreturn]] void become(const char* program, char* const* arguments, int in, int out, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before that call
  ::setpgid(0, 0);                          // Ctrl-C is for the parent, who decides
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) ::signal(number, SIG_DFL);
  if (::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0) ::_exit(127);
  ::close_range(3, ~0U, 0);
  ::execv(program, arguments);
  ::_exit(127);
}

void close_all(std::initializer_list<int> descriptors) {
  for (const int descriptor : descriptors) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

// Whether the descriptor became ready; false when the time is over.
bool wait_for(int descriptor, short what, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd asked{.fd = descriptor, .events = what, .revents = 0};
    const int ready = ::poll(&asked, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return true;  // the call that follows says what is wrong
  }
}

}  // namespace

ChildProcess::ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments) {
  const std::string path = program.string();
  if (::access(path.c_str(), X_OK) != 0) {
    throw Error(ErrorCode::not_found, "cannot start \"{}\"", path).with("found", std::strerror(errno));
  }
  std::string own_name = program.filename().string();
  std::vector<std::string> copies = arguments;
  std::vector<char*> words{own_name.data()};
  for (std::string& argument : copies) words.push_back(argument.data());
  words.push_back(nullptr);

  // A socket and not a pipe takes the requests: writing to it never raises a signal.
  int in[2]{-1, -1};
  int out[2]{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
    const int error = errno;
    close_all({in[0], in[1]});
    throw Error(ErrorCode::failed, "cannot start \"{}\"", path).with("found", std::strerror(error));
  }
  const pid_t parent = ::getpid();
  int error = 0;
  pid_ = LastingThread::get().run([&] {
    const pid_t made = ::fork();
    if (made == 0) become(path.c_str(), words.data(), in[1], out[1], parent);
    error = errno;
    return made;
  });
  close_all({in[1], out[1]});
  if (pid_ < 0) {
    close_all({in[0], out[0]});
    throw Error(ErrorCode::failed, "cannot start \"{}\"", path).with("found", std::strerror(error));
  }
  input_ = in[0];
  output_ = out[0];
}

ChildProcess::~ChildProcess() {
  signal(SIGKILL);
  wait(std::chrono::hours(1));
  close_all({input_, output_});
}

void ChildProcess::write(std::string_view bytes, milliseconds timeout) {
  const std::lock_guard lock(writing_);
  const auto deadline = Clock::now() + timeout;
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote =
        ::send(input_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_for(input_, POLLOUT, deadline)) {
        throw Error(ErrorCode::failed, "cannot write to process {}", pid_)
            .with("found", "it does not read what it is sent");
      }
    } else if (errno != EINTR) {
      throw Error(ErrorCode::failed, "cannot write to process {}", pid_).with("found", std::strerror(errno));
    }
  }
}

std::optional<std::string> ChildProcess::read(milliseconds timeout) {
  if (!wait_for(output_, POLLIN, Clock::now() + timeout)) return "";
  std::string bytes(size_t{1} << 16, '\0');
  const ssize_t got = ::read(output_, bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR) return "";
  if (got <= 0) return std::nullopt;
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

void ChildProcess::signal(int number) {
  const std::lock_guard lock(ending_);
  if (!status_) ::kill(pid_, number);
}

bool ChildProcess::wait(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  milliseconds pause(1);
  while (true) {
    {
      const std::lock_guard lock(ending_);
      if (status_) return true;
      int status = 0;
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) status_ = status;
      // Somebody else has asked the system for it already; how it ended is lost.
      if (ended < 0 && errno == ECHILD) status_ = 0;
      if (status_) return true;
    }
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(20));
  }
}

std::string ChildProcess::how_it_ended() {
  const std::lock_guard lock(ending_);
  if (!status_) return "it still runs";
  if (WIFSIGNALED(*status_)) {
    const int number = WTERMSIG(*status_);
    const char* name = ::strsignal(number);
    return fmt::format("signal {} ({})", number, name ? name : "unknown");
  }
  return fmt::format("exit status {}", WEXITSTATUS(*status_));
}

}  // namespace maquette::app
