// The worker: makes pictures for the process that started it and says what to do in lines of JSON. What that
// process is on the other side of is app/worker_process.h; the protocol is described in docs/jobs.md.
#pragma once

namespace maquette::app {

// Takes requests from standard input and answers on standard output, until it is told to quit. Where the
// input ends, so does the process, at once. Everything else that is printed goes to standard error.
void serve_jobs();

}  // namespace maquette::app
