// A restricted reader of Python pickles, for PyTorch checkpoints: it builds plain records and executes
// nothing.
//
// Names of Python functions and classes ("globals") stand for themselves in a short table: the calls that
// rebuild tensors are carried out on records, a few harmless ones that published checkpoints contain are
// dropped, and any other name ends the reading with an Error that shows it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weights/byte_source.h"

namespace maquette::weights {

struct PickleStorage {
  std::string key;          // the storage's file in the archive, or its key in a legacy stream
  DType type = DType::f32;  // element type; u8 for an untyped storage
  bool untyped = false;
  uint64_t elements = 0;
  // Legacy files may describe a view of another storage: where it starts in that root, and the root's size.
  uint64_t offset = 0;
  uint64_t root_elements = 0;
};

struct PickleTensor {
  uint32_t storage = 0;  // index into PickleDocument::storages
  DType type = DType::f32;
  uint64_t offset = 0;  // in elements
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
};

enum class PickleKind : uint8_t {
  none,
  boolean,
  integer,
  real,
  text,
  tuple,
  list,
  dict,
  global,
  storage,
  tensor,
  opaque
};

struct PickleNode {
  PickleKind kind = PickleKind::none;
  int64_t integer =
      0;  // boolean, integer; index into storages or tensors; place of a global in the reader's own list
  double real = 0;
  std::string text;             // text and byte strings; the name of a global
  std::vector<uint32_t> items;  // tuple and list; dict as key, value, key, value
};

struct PickleDocument {
  std::vector<PickleNode> nodes;
  std::vector<PickleStorage> storages;
  std::vector<PickleTensor> tensors;
  uint32_t root = 0;
  size_t size = 0;  // bytes up to and with the end of the pickle

  const PickleNode& node(uint32_t index) const { return nodes[index]; }
};

// Reads one pickle (protocol 2 to 5) from the start of the bytes; more may follow it. `file` is for messages.
Result<PickleDocument> read_pickle(std::span<const std::byte> bytes, const std::string& file);

}  // namespace maquette::weights
