// Merkle tree hashes, audit paths and consistency proofs: RFC 6962, section 2.1; how they are checked without
// recursion: RFC 9162, sections 2.1.3.2 and 2.1.4.2.
#include "tlog/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"

namespace maquette::tlog {

namespace {

// The largest power of two below n, for n > 1: how many leaves the left child has.
uint64_t split_of(uint64_t n) { return std::bit_floor(n - 1); }

void require(bool fits, std::string_view what, uint64_t found, uint64_t size) {
  if (fits) return;
  throw Error(ErrorCode::usage, "the log has no such {}", what)
      .with("found", found)
      .with("expected", fmt::format("within {} entries", size));
}

}  // namespace

std::string_view bytes_of(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

Hash leaf_hash(std::string_view entry) {
  std::string bytes;
  bytes.reserve(entry.size() + 1);
  bytes += '\0';
  bytes += entry;
  return sha256(bytes);
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<char, 1 + 2 * sizeof(Hash)> bytes;
  bytes[0] = 1;
  std::memcpy(bytes.data() + 1, left.data(), left.size());
  std::memcpy(bytes.data() + 1 + left.size(), right.data(), right.size());
  return sha256({bytes.data(), bytes.size()});
}

void Tree::append(const Hash& leaf) {
  if (levels_.empty()) levels_.emplace_back();
  levels_[0].push_back(leaf);
  // Every second subtree of a level completes one of the level above.
  for (size_t h = 0; levels_[h].size() % 2 == 0; ++h) {
    if (levels_.size() == h + 1) levels_.emplace_back();
    const std::vector<Hash>& below = levels_[h];
    levels_[h + 1].push_back(node_hash(below[below.size() - 2], below.back()));
  }
}

void Tree::truncate(uint64_t size) {
  for (size_t h = 0; h < levels_.size(); ++h)
    levels_[h].resize(std::min<uint64_t>(levels_[h].size(), size >> h));
  while (!levels_.empty() && levels_.back().empty()) levels_.pop_back();
}

// MTH of leaves [begin, end), where begin is a multiple of the largest power of two that is not above the
// count: true of every range that the recursion of the RFC comes to.
Hash Tree::range(uint64_t begin, uint64_t end) const {
  const uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const int height = std::countr_zero(count);
    return subtree(height, begin >> height);
  }
  const uint64_t left = split_of(count);
  return node_hash(range(begin, begin + left), range(begin + left, end));
}

Hash Tree::root(uint64_t size) const {
  require(size <= this->size(), "size", size, this->size());
  return size == 0 ? sha256("") : range(0, size);
}

std::vector<Hash> Tree::inclusion_proof(uint64_t index, uint64_t size) const {
  require(size <= this->size(), "size", size, this->size());
  require(index < size, "entry", index, size);
  // From the root down to the leaf: the sibling at each step.
  std::vector<Hash> proof;
  for (uint64_t begin = 0, end = size; end - begin > 1;) {
    const uint64_t middle = begin + split_of(end - begin);
    if (index < middle) {
      proof.push_back(range(middle, end));
      end = middle;
    } else {
      proof.push_back(range(begin, middle));
      begin = middle;
    }
  }
  std::ranges::reverse(proof);
  return proof;
}

std::vector<Hash> Tree::consistency_proof(uint64_t old_size, uint64_t size) const {
  require(size <= this->size(), "size", size, this->size());
  require(old_size <= size, "size", old_size, size);
  std::vector<Hash> proof;
  if (old_size == 0 || old_size == size) return proof;
  // SUBPROOF from the root down: the old tree ends in one of the two children until it ends with one.
  uint64_t begin = 0;
  uint64_t end = size;
  while (end != old_size) {
    const uint64_t middle = begin + split_of(end - begin);
    if (old_size <= middle) {
      proof.push_back(range(middle, end));
      end = middle;
    } else {
      proof.push_back(range(begin, middle));
      begin = middle;
    }
  }
  // Where the old tree is this whole left edge, the checker knows its hash: it is the old root.
  if (begin > 0) proof.push_back(range(begin, end));
  std::ranges::reverse(proof);
  return proof;
}

bool verify_inclusion(const InclusionClaim& claim, std::span<const Hash> proof) {
  if (claim.index >= claim.size) return false;
  // `node` and `last` are the places of our subtree and of the last one in their level.
  uint64_t node = claim.index;
  uint64_t last = claim.size - 1;
  Hash hash = claim.leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return false;  // longer than the tree is high
    if (node % 2 == 1 || node == last) {
      hash = node_hash(sibling, hash);
      // A last subtree without a sibling stands for itself in the levels above.
      while (node % 2 == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == claim.root;
}

bool verify_consistency(const ConsistencyClaim& claim, std::span<const Hash> proof) {
  if (claim.old_size > claim.size) return false;
  if (claim.old_size == 0) return proof.empty() && claim.old_root == sha256("");
  if (claim.old_size == claim.size) return proof.empty() && claim.old_root == claim.root;

  // The proof begins with the subtree in which the old tree ends; it is left out where it is the whole old
  // tree.
  const bool whole = std::has_single_bit(claim.old_size);
  if (!whole && proof.empty()) return false;
  Hash old_hash = whole ? claim.old_root : proof[0];
  Hash new_hash = old_hash;

  uint64_t node = claim.old_size - 1;
  uint64_t last = claim.size - 1;
  while (node % 2 == 1) {
    node >>= 1;
    last >>= 1;
  }
  for (const Hash& sibling : proof.subspan(whole ? 0 : 1)) {
    if (last == 0) return false;
    if (node % 2 == 1 || node == last) {
      // A left sibling belongs to both trees.
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      while (node % 2 == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, sibling);  // a right one to the new tree only
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == claim.old_root && new_hash == claim.root;
}

}  // namespace maquette::tlog
