// ChildProcess: another program, with pipes to its standard input and output. It dies with this process, is
// told nothing of this process's other files, and leaves no zombie.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maquette::app {

class ChildProcess {
 public:
  // Throws Error(not_found) where there is no such program, Error(failed) where the system refuses.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments);
  ~ChildProcess();  // kills it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // To its standard input. Throws Error(failed) where it has closed it, or takes nothing until the time is
  // over.
  void write(std::string_view bytes, std::chrono::milliseconds timeout);
  // What it printed, waiting that long for something: empty where nothing came, none after the end of its
  // output.
  std::optional<std::string> read(std::chrono::milliseconds timeout);
  int output_descriptor() const { return output_; }

  void signal(int number);
  // Waits that long for its end; says whether it is over.
  bool wait(std::chrono::milliseconds timeout);
  // Once it is over: "exit status 3", "signal 9 (Killed)".
  std::string how_it_ended();
  int pid() const { return pid_; }

 private:
  std::mutex writing_;
  std::mutex ending_;  // guards status_, and that pid_ is signalled only while it is ours
  int pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::optional<int> status_;  // as waitpid tells it
};

}  // namespace maquette::app
