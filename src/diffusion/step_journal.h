// Step journal: what the network said of an unfinished picture, kept on disk. A run that was killed is run
// again with the same journal, and only the evaluation that was under way is lost: the others are answered
// from the file, while sampler and noise do their (small) work again and so end up where they were.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/recipe.h"
#include "base/record_file.h"
#include "tensor/tensor.h"

namespace maquette::diffusion {

// Of everything that the answers depend on: recipe (with defaults and hashes filled in), program and
// libraries, processor, kernels that were chosen, element type of the activations.
std::string journal_key(const Recipe& recipe, DType activations);

struct JournalSettings {
  std::filesystem::path file;
  std::string key;
  // Evaluations use what earlier ones left behind (feature caching). The network then goes on from the last
  // evaluation that stood alone, and what follows it is computed again.
  bool leaning = false;
};

struct Evaluation {
  Tensor prediction;         // of x's shape, f32
  bool stands_alone = true;  // evaluations from this one on use nothing that earlier ones left behind
};

// For one run, all passes of it in their order.
class StepJournal {
 public:
  // Opens or makes the file. One of another key is begun anew, with a note. Throws Error as RecordFile does.
  explicit StepJournal(const JournalSettings& settings);

  // The answer of the next evaluation, to x [N, C, h, w] f32: as it was written down, otherwise evaluated and
  // written down. From the first record on that is damaged or answers another x, all are evaluated. Where the
  // file cannot be written, the run goes on without it, with a note.
  Tensor answer(const Tensor& x, const std::function<Evaluation()>& evaluate);

  int answered() const { return answered_; }                        // evaluations that came from the file
  bool replaying() const { return replaying_; }                     // every one so far did
  const std::vector<std::string>& notes() const { return notes_; }  // for people

 private:
  std::optional<Tensor> written_answer(const Tensor& x, const std::string& question);
  int records_to_use();

  RecordFile file_;
  std::vector<std::string> notes_;
  int answered_ = 0;
  int usable_ = -1;  // records; below 0: all
  bool replaying_ = true;
  bool writing_ = true;
};

}  // namespace maquette::diffusion
