// Exec: everything a forward pass needs besides its weights and inputs: memory, threads, precision, the
// wrapping of textures, and the hooks that watch.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/threads.h"
#include "tensor/tensor.h"

namespace maquette::kernels {

class Tuner;

// Which edges of a picture meet: convolutions then read across them instead of padding with zeros.
struct Wrap {
  bool x = false;
  bool y = false;
  bool any() const { return x || y; }
};

// Keeps freed buffers for the next request of about the same size: after the first step of a loop nothing is
// allocated any more. Safe to use from several threads.
class BufferPool {
 public:
  BufferPool();
  Tensor empty(const Shape& shape, DType type);
  void trim();                // gives the unused buffers back to the system
  size_t bytes_held() const;  // in use and kept

  struct State;

 private:
  std::shared_ptr<State> state_;  // outlives the pool while tensors still hold its buffers
};

// Seconds and floating-point operations per kind of operation, for --profile.
class Profiler {
 public:
  struct Row {
    std::string operation;  // "conv 3x3 320->320 64x64 avx512-winograd"
    int calls = 0;
    double seconds = 0;
    double flop = 0;
  };
  void add(std::string_view operation, double seconds, double flop);
  std::vector<Row> rows() const;  // slowest first

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Row, std::less<>> rows_;
};

// Sees named intermediate activations ("down_blocks.0.resnets.1"); parity tests read them.
using TraceHook = std::function<void(std::string_view name, const Tensor& value)>;

struct Exec {
  DType activations = DType::f32;  // f32 or bf16: what networks compute in
  Wrap wrap;
  BufferPool pool;
  Profiler* profiler = nullptr;
  Tuner* tuner = nullptr;  // measures what is computed, for `maquette tune`
  TraceHook trace_hook;
  bool packs_once = false;  // see PackedOnce
  Tensor packed_once;
  std::function<void()> check_cancelled;  // called between blocks; throws Error(cancelled) to stop

  Tensor empty(const Shape& shape, DType type) { return pool.empty(shape, type); }
  Tensor empty(const Shape& shape) { return pool.empty(shape, activations); }
  void trace(std::string_view name, const Tensor& value) const {
    if (trace_hook) trace_hook(name, value);
    if (check_cancelled) check_cancelled();
  }
};

// While it lives, matrix products keep nothing of the weights that they pack, one layer in the memory of the
// other: for networks that run once per picture, whose packed weights would take longer to fetch from memory
// than to make.
class PackedOnce {
 public:
  explicit PackedOnce(Exec& ex) : ex_(ex) { ex_.packs_once = true; }
  ~PackedOnce() {
    ex_.packs_once = false;
    ex_.packed_once = {};
  }
  PackedOnce(const PackedOnce&) = delete;
  PackedOnce& operator=(const PackedOnce&) = delete;

 private:
  Exec& ex_;
};

// Times the scope it lives in, where a profiler is set.
class ProfileScope {
 public:
  ProfileScope(Exec& ex, std::string_view kind, double flop);
  ~ProfileScope();
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;
  void detail(std::string_view text);  // appended to the name; call only while active()
  bool active() const { return profiler_ != nullptr; }

 private:
  Profiler* profiler_;
  std::string name_;
  double flop_;
  double begin_ = 0;
};

}  // namespace maquette::kernels
