#include "app/kernel_table.h"

#include <mutex>

#include "app/picture_record.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "diffusion/cache_folder.h"
#include "kernels/choice.h"
#include "kernels/cpu.h"
#include "kernels/threads.h"

namespace maquette::app {

namespace {

constexpr size_t kLargestFile = 4 << 20;  // bytes

std::mutex g_mutex;
fs::path g_used;  // the file whose table the kernels have

Json made_for() {
  return {{"processor", kernels::cpu().name},
          {"instruction_set", kernels::instruction_set()},
          {"threads", kernels::thread_count()},
          {"version", version()}};
}

Result<kernels::ChoiceTable> read_table(const fs::path& file) {
  const Result<std::string> text = read_text_file(file, kLargestFile);
  if (!text) return text.error();
  const Result<Json> json = parse_json(*text, file.string());
  if (!json) return json.error();
  Result<kernels::ChoiceTable> table = kernels::choice_table_from_json(*json);
  if (table && (!json->contains("made_for") || (*json)["made_for"] != made_for())) {
    return Error(ErrorCode::bad_file, "it was made for another processor, number of threads or version");
  }
  return table;
}

}  // namespace

fs::path kernel_table_file() {
  const fs::path folder = diffusion::cache_folder();
  if (folder.empty()) return {};
  return folder / fmt::format("kernels-{}.json", sha256_hex(made_for().dump()).substr(0, 12));
}

void use_kernel_table() {
  const std::lock_guard lock(g_mutex);
  const fs::path file = kernel_table_file();
  if (file == g_used) return;
  g_used = file;
  kernels::ChoiceTable table;
  if (std::error_code error; fs::exists(file, error)) {
    Result<kernels::ChoiceTable> read = read_table(file);
    if (read) {
      table = std::move(*read);
    } else {
      log::warning("the measured kernels in \"{}\" are ignored: {}; maquette tune --forget deletes them",
                   file.string(), read.error().what());
    }
  }
  kernels::set_choice_table(std::move(table));
}

void save_kernel_table() {
  const fs::path file = kernel_table_file();
  Json json = kernels::to_json(kernels::choice_table());
  json["made_for"] = made_for();
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  write_file_atomically(file, json.dump(1) + "\n");
}

bool forget_kernel_table() {
  kernels::set_choice_table({});
  std::error_code error;
  const bool was_there = fs::remove(kernel_table_file(), error);
  if (error) {
    throw Error(ErrorCode::failed, "cannot delete \"{}\"", kernel_table_file().string())
        .with("found", error.message());
  }
  return was_there;
}

}  // namespace maquette::app
