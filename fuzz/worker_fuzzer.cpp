// What a worker is told and what it says, in lines of any bytes, cut anywhere: each is a message or refused.
// A job that was read can be written and read again, and so can an error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/line_buffer.h"
#include "app/worker_protocol.h"
#include "base/json.h"

namespace {

using maquette::Json;

void check_job(const Json& document) {
  const auto job = maquette::app::worker_job_from_json(document);
  if (!job) return;
  const Json written = maquette::app::to_json(*job);
  const auto again = maquette::app::worker_job_from_json(written);
  if (!again || maquette::app::to_json(*again) != written) std::abort();
}

void check_error(const Json& document) {
  const Json written = maquette::to_json(maquette::app::error_from_json(document));
  if (maquette::to_json(maquette::app::error_from_json(written)) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte says how the stream is cut.
  const size_t part = 1 + data[0];
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  maquette::app::LineBuffer lines(4096);
  for (size_t at = 0; at < stream.size(); at += part) {
    lines.add(stream.substr(at, part));
    while (const auto line = lines.next()) {
      const auto message = maquette::parse_json(line->text, "message");
      if (!message || !message->is_object()) continue;
      for (const auto& [name, body] : message->items()) {
        check_job(body);
        check_error(body);
      }
    }
  }
  return 0;
}
