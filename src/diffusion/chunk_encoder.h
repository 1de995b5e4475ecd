// Chunks of 77 tokens through the text encoders of a model: all that a recipe says in one pass of each, for a
// text encoder spends more time on reading its weights than on a chunk.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "diffusion/conditioning.h"

namespace maquette::diffusion {

class ChunkEncoder {
 public:
  ChunkEncoder(kernels::Exec& ex, const TextSide& side)
      : ex_(ex), side_(side), encoded_(side.branches.size()) {}

  kernels::Exec& exec() const { return ex_; }
  const TextSide& side() const { return side_; }
  text::FramedChunk frame(size_t branch, const text::Chunk& chunk) const;

  // One chunk among those that went through the encoder together.
  struct Encoded {
    models::TextOutput together;  // [N, 77, C]
    int64_t index = 0;
  };
  // Runs those that have not been run, together.
  void prepare(size_t branch, std::span<const text::FramedChunk> frames);
  // What the encoder says to a chunk, which is run now if it was not prepared.
  const Encoded& at(size_t branch, const text::FramedChunk& frame);

 private:
  // Ids, then position, embedding and row of each vector that takes a token's place.
  using Key = std::vector<int>;

  static Key key_of(const text::FramedChunk& frame);
  std::vector<models::TextInput> inputs_of(size_t branch, const text::FramedChunk& frame) const;

  kernels::Exec& ex_;
  const TextSide& side_;
  std::vector<std::map<Key, Encoded>> encoded_;  // by branch
};

}  // namespace maquette::diffusion
