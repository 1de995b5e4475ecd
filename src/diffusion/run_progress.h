// How far a run is, what its phases took, and how it is stopped.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "base/progress.h"

namespace maquette::diffusion {

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Tells the caller how far the job is, guesses the time left from the steps so far, and throws where it says
// stop.
class ProgressTeller {
 public:
  explicit ProgressTeller(const ProgressCallback& callback) : callback_(callback) {}

  // known: how many of `done` an earlier run did, so that they took no time.
  void tell(std::string_view phase, int done, int total, int known = 0) {
    if (phase != phase_) {
      phase_ = phase;
      begin_ = std::chrono::steady_clock::now();
    }
    seconds_left_ = -1;
    if (done > known && total > 0) {
      const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
      seconds_left_ = spent / (done - known) * (total - done);
    }
    done_ = done;
    total_ = total;
    known_ = known;
    check();
  }
  // Between the blocks of a network: no news, but a chance to stop.
  void check() {
    if (callback_ && !callback_({.phase = phase_,
                                 .done = done_,
                                 .total = total_,
                                 .known = known_,
                                 .seconds_left = seconds_left_}))
      stop();
  }

 private:
  [[noreturn]] void stop() const {
    throw Error(ErrorCode::cancelled, "stopped while {}", phase_).hint("finished pictures are kept");
  }

  const ProgressCallback& callback_;
  std::string phase_ = "starting";
  int done_ = 0;
  int total_ = 0;
  int known_ = 0;
  double seconds_left_ = -1;  // as of the last step
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace maquette::diffusion
