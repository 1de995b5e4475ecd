// The Merkle tree of RFC 6962, section 2.1, with SHA-256: roots of every size that the tree has had, proofs
// that an entry is in it and that it only grew, and checking both without the tree.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace maquette::tlog {

using Hash = Digest;

Hash leaf_hash(std::string_view entry);               // SHA-256(0x00 || entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)

std::string_view bytes_of(const Hash& hash);

// Keeps the hash of every complete subtree: 64 bytes an entry.
class Tree {
 public:
  void append(const Hash& leaf);
  // Forgets the leaves from `size` on.
  void truncate(uint64_t size);
  uint64_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }

  // The complete subtree of 2^height leaves that begins at leaf index * 2^height.
  const Hash& subtree(int height, uint64_t index) const {
    return levels_[static_cast<size_t>(height)][index];
  }

  // Each throws Error(usage) where the numbers do not fit the tree.
  Hash root(uint64_t size) const;  // of the first `size` leaves; SHA-256 of nothing where there are none
  std::vector<Hash> inclusion_proof(uint64_t index, uint64_t size) const;       // leaf's sibling first
  std::vector<Hash> consistency_proof(uint64_t old_size, uint64_t size) const;  // empty from size 0

 private:
  Hash range(uint64_t begin, uint64_t end) const;
  // levels_[h][i]: subtree(h, i)
  std::vector<std::vector<Hash>> levels_;
};

// RFC 9162, section 2.1.3.2: the leaf is entry `index` of the tree of that size and root.
struct InclusionClaim {
  Hash leaf;
  uint64_t index = 0;
  uint64_t size = 0;
  Hash root;
};
bool verify_inclusion(const InclusionClaim& claim, std::span<const Hash> proof);

// RFC 9162, section 2.1.4.2: the tree of `size` begins with all entries of the tree of `old_size`, in order.
// Everything is consistent with the empty tree.
struct ConsistencyClaim {
  uint64_t old_size = 0;
  Hash old_root;
  uint64_t size = 0;
  Hash root;
};
bool verify_consistency(const ConsistencyClaim& claim, std::span<const Hash> proof);

}  // namespace maquette::tlog
