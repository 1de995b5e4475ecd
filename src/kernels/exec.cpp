#include "kernels/exec.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>

#include "tensor/memory.h"

namespace maquette::kernels {

namespace {

constexpr size_t kMostWaste = 4;  // a buffer serves requests down to this part of it

// Sizes are rounded up to eighths of a power of two: at most 12.5 % is wasted, and shapes that differ by
// little share buffers.
size_t bucket_of(size_t bytes) {
  const size_t least = std::max<size_t>(bytes, 4096);
  const size_t step = std::max<size_t>(std::bit_floor(least) / 8, kMemoryAlignment);
  const size_t rounded = (least + step - 1) / step * step;
  return rounded < 2 * kHugePage ? rounded : (rounded + kHugePage - 1) / kHugePage * kHugePage;
}

}  // namespace

struct BufferPool::State {
  std::mutex mutex;
  std::multimap<size_t, void*> unused;
  size_t held = 0;

  ~State() {
    for (auto& [size, data] : unused) std::free(data);
  }
  // Frees unused buffers smaller than `bytes`, the largest first, until that many bytes are free.
  void make_room(size_t bytes) {
    size_t freed = 0;
    for (auto next = unused.lower_bound(bytes); next != unused.begin() && freed < bytes;) {
      --next;
      freed += next->first;
      held -= next->first;
      std::free(next->second);
      next = unused.erase(next);
    }
  }
};

BufferPool::BufferPool() : state_(std::make_shared<State>()) {}

// The smallest unused buffer that is large enough serves, unless most of it would lie idle. Where there is
// none, smaller unused ones make room first: a decoder's stages grow, and would otherwise leave all their
// smaller buffers behind. The loop of a sampler finds its buffers from the second or third step on.
Tensor BufferPool::empty(const Shape& shape, DType type) {
  size_t bytes = bucket_of(static_cast<size_t>(shape.elements()) * size_of(type));
  void* data = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->unused.lower_bound(bytes);
    if (found != state_->unused.end() && found->first / kMostWaste <= bytes) {
      bytes = found->first;
      data = found->second;
      state_->unused.erase(found);
    } else {
      state_->make_room(bytes);
      state_->held += bytes;
    }
  }
  if (!data) data = allocate_memory(bytes);
  const auto give_back = [state = state_, bytes](const void* p) {
    const std::lock_guard lock(state->mutex);
    state->unused.emplace(bytes, const_cast<void*>(p));
  };
  return Tensor::wrap(shape, type, data, std::shared_ptr<const void>(data, give_back));
}

void BufferPool::trim() {
  const std::lock_guard lock(state_->mutex);
  for (auto& [size, data] : state_->unused) {
    state_->held -= size;
    std::free(data);
  }
  state_->unused.clear();
}

size_t BufferPool::bytes_held() const {
  const std::lock_guard lock(state_->mutex);
  return state_->held;
}

void Profiler::add(std::string_view operation, double seconds, double flop) {
  const std::lock_guard lock(mutex_);
  auto found = rows_.find(operation);
  if (found == rows_.end()) {
    found = rows_.emplace(std::string(operation), Row{.operation = std::string(operation)}).first;
  }
  found->second.calls += 1;
  found->second.seconds += seconds;
  found->second.flop += flop;
}

std::vector<Profiler::Row> Profiler::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> sorted;
  for (const auto& [name, row] : rows_) sorted.push_back(row);
  std::ranges::sort(sorted, [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return sorted;
}

namespace {
double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
}  // namespace

ProfileScope::ProfileScope(Exec& ex, std::string_view kind, double flop)
    : profiler_(ex.profiler), flop_(flop) {
  if (!profiler_) return;
  name_ = kind;
  begin_ = now();
}

ProfileScope::~ProfileScope() {
  if (profiler_) profiler_->add(name_, now() - begin_, flop_);
}

void ProfileScope::detail(std::string_view text) { name_ += text; }

}  // namespace maquette::kernels
