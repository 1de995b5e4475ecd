// A studio of the size that a series leaves behind, for measuring lists: written straight into the tables, a
// few hundred rows a statement, because a million takes filed one by one would take hours.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "app/studio/studio.h"

namespace maquette::bench {

struct LargeStudio {
  int64_t takes = 1'000'000;
  // For each take: a tenth of a shot, an eighth of a task, 1.5 events, half a comment, a seventh of a job.
  int64_t shots() const { return takes / 10; }
  int64_t tasks() const { return takes / 8; }
  int64_t comments() const { return takes / 2; }
  int64_t jobs() const { return takes / 7; }
  static constexpr int64_t kPeople = 200;
  static constexpr int64_t kModels = 30;
  static constexpr int64_t kAssets = 2000;
  static constexpr int64_t kPlaylists = 1000;
};

// Words as prompts have them: a few come in every other prompt, most in one of thousands (Zipf's law).
class Words {
 public:
  Words();
  const std::string& draw(std::mt19937_64& random) const;
  const std::string& at(size_t rank) const { return words_[rank]; }  // 0: the most frequent
  size_t size() const { return words_.size(); }

 private:
  std::vector<std::string> words_;
  std::vector<double> weights_;  // running sums
};

// Ids are made of the table's letter and the row's number, so that questions can name any row.
std::string id_of(char table, int64_t number);
std::string shot_path(int64_t shot);  // "sq017/sh0420"
std::string model_name(int64_t model);

// Makes the show "large" in an empty studio. Says on standard error how far it is. Throws Error.
void fill(app::Studio& studio, const LargeStudio& size);

}  // namespace maquette::bench
