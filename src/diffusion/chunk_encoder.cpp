#include "diffusion/chunk_encoder.h"

#include <algorithm>

namespace maquette::diffusion {

text::FramedChunk ChunkEncoder::frame(size_t branch, const text::Chunk& chunk) const {
  const TextBranch& b = side_.branches[branch];
  return text::frame_chunk(
      chunk, {.bos = b.tokenizer.bos_id(), .eos = b.tokenizer.eos_id(), .pad = static_cast<int>(b.pad_id)});
}

ChunkEncoder::Key ChunkEncoder::key_of(const text::FramedChunk& frame) {
  Key key = frame.ids;
  for (const auto& r : frame.replacements) key.insert(key.end(), {r.position, r.embedding, r.row});
  return key;
}

std::vector<models::TextInput> ChunkEncoder::inputs_of(size_t branch, const text::FramedChunk& frame) const {
  std::vector<models::TextInput> inputs;
  for (const int id : frame.ids) inputs.push_back({.id = id});
  for (const auto& replacement : frame.replacements) {
    const Tensor& vectors = side_.inversions[static_cast<size_t>(replacement.embedding)].vectors[branch];
    if (!vectors.defined() || replacement.row >= vectors.size(0)) continue;
    inputs[static_cast<size_t>(replacement.position)].vector =
        vectors.data().data() + replacement.row * vectors.size(1);
  }
  return inputs;
}

void ChunkEncoder::prepare(size_t branch, std::span<const text::FramedChunk> frames) {
  constexpr size_t kMostTogether = 8;  // their hidden states are all held
  std::map<Key, Encoded>& known = encoded_[branch];
  std::map<Key, const text::FramedChunk*> missing;
  for (const text::FramedChunk& frame : frames) {
    const Key key = key_of(frame);
    if (!known.contains(key)) missing.emplace(key, &frame);
  }
  for (auto next = missing.begin(); next != missing.end();) {
    const auto first = next;
    std::vector<std::vector<models::TextInput>> sequences;
    for (; next != missing.end() && sequences.size() < kMostTogether; ++next) {
      sequences.push_back(inputs_of(branch, *next->second));
    }
    const models::TextOutput together = side_.branches[branch].encoder(ex_, sequences);
    int64_t index = 0;
    for (auto entry = first; entry != next; ++entry) known[entry->first] = {together, index++};
  }
}

const ChunkEncoder::Encoded& ChunkEncoder::at(size_t branch, const text::FramedChunk& frame) {
  prepare(branch, {&frame, 1});
  return encoded_[branch].at(key_of(frame));
}

}  // namespace maquette::diffusion
