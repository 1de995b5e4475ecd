// Work on several threads: contiguous parts of a range, or a list of tasks taken as threads become free.
#pragma once

#include <cstdint>
#include <functional>

namespace maquette::kernels {

// Runs body(begin, end) over [0, count) in contiguous parts of at least `grain`. Parts never share a sum, so
// results do not depend on the number of threads. Exceptions of a part are passed on after all have ended.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

// Runs body(task, thread) for every task in [0, count), each thread taking the next one that is left;
// `thread` is below `most_threads`, for scratch memory of its own: threads beyond it take no task. (It is not
// enough to make thread_count() pieces: another job may change that number meanwhile.) Which thread runs
// which task must not matter.
void parallel_tasks(int64_t count, const std::function<void(int64_t, int)>& body, int64_t most_threads = 256);

// Threads used from now on, the caller's included; at first as many as the process may run on, or
// MAQUETTE_THREADS. Calls inside a body run on the caller alone.
int thread_count();
void set_thread_count(int threads);

}  // namespace maquette::kernels
