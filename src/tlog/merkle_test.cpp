#include "tlog/merkle.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/identifiers.h"

namespace maquette::tlog {
namespace {

constexpr uint64_t kLargest = 257;  // past a full tile of 256

Tree tree_of(uint64_t size) {
  Tree tree;
  for (uint64_t i = 0; i < size; ++i) tree.append(leaf_hash(fmt::format("entry {}", i)));
  return tree;
}

std::string hex(const Hash& hash) { return lower_hex(bytes_of(hash)); }

// The definition of RFC 6962, section 2.1, word by word.
Hash plain_root(const std::vector<Hash>& leaves, size_t begin, size_t end) {
  if (begin == end) return sha256("");
  if (end - begin == 1) return leaves[begin];
  size_t k = 1;
  while (2 * k < end - begin) k *= 2;
  return node_hash(plain_root(leaves, begin, begin + k), plain_root(leaves, begin + k, end));
}

// Roots that other implementations of RFC 6962 are tested with: the eight entries, and trees of 0 to 8 of
// them.
TEST(Merkle, has_the_known_roots) {
  const std::string_view entries[] = {
      {"", 0},
      {"\x00", 1},
      {"\x10", 1},
      {"\x20\x21", 2},
      {"\x30\x31", 2},
      {"\x40\x41\x42\x43", 4},
      {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
      {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
  const char* roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree;
  EXPECT_EQ(hex(tree.root(0)), roots[0]);
  for (size_t n = 1; n <= 8; ++n) {
    tree.append(leaf_hash(entries[n - 1]));
    EXPECT_EQ(hex(tree.root(n)), roots[n]) << n;
  }
}

TEST(Merkle, has_the_roots_of_the_definition) {
  const Tree tree = tree_of(kLargest);
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < kLargest; ++i) leaves.push_back(tree.subtree(0, i));
  for (size_t n = 0; n <= kLargest; ++n) EXPECT_EQ(tree.root(n), plain_root(leaves, 0, n)) << n;
}

TEST(Merkle, every_inclusion_proof_holds_and_every_changed_one_fails) {
  const Tree tree = tree_of(kLargest);
  for (uint64_t size = 1; size <= kLargest; ++size) {
    for (uint64_t index = 0; index < size; ++index) {
      const InclusionClaim claim{tree.subtree(0, index), index, size, tree.root(size)};
      std::vector<Hash> proof = tree.inclusion_proof(index, size);
      ASSERT_TRUE(verify_inclusion(claim, proof)) << index << " of " << size;

      InclusionClaim other = claim;
      other.index = (index + 1) % size;
      ASSERT_EQ(verify_inclusion(other, proof), size == 1) << index << " of " << size;
      other = claim;
      other.leaf[index % 32] ^= std::byte{1};
      ASSERT_FALSE(verify_inclusion(other, proof));
      other = claim;
      other.root[size % 32] ^= std::byte{128};
      ASSERT_FALSE(verify_inclusion(other, proof));

      proof.push_back(claim.leaf);
      ASSERT_FALSE(verify_inclusion(claim, proof));
      proof.pop_back();
      if (proof.empty()) continue;
      // One altered hash, another one for each pair; two exchanged; one missing.
      const size_t at = (index + size) % proof.size();
      proof[at][(index * 7 + size) % 32] ^= std::byte{4};
      ASSERT_FALSE(verify_inclusion(claim, proof));
      proof[at][(index * 7 + size) % 32] ^= std::byte{4};
      if (proof.size() > 1) {
        std::swap(proof[0], proof[1]);
        ASSERT_FALSE(verify_inclusion(claim, proof));
        std::swap(proof[0], proof[1]);
      }
      proof.pop_back();
      ASSERT_FALSE(verify_inclusion(claim, proof));
    }
  }
}

TEST(Merkle, every_consistency_proof_holds_and_every_changed_one_fails) {
  const Tree tree = tree_of(kLargest);
  for (uint64_t size = 0; size <= kLargest; ++size) {
    for (uint64_t old_size = 0; old_size <= size; ++old_size) {
      const ConsistencyClaim claim{old_size, tree.root(old_size), size, tree.root(size)};
      std::vector<Hash> proof = tree.consistency_proof(old_size, size);
      ASSERT_TRUE(verify_consistency(claim, proof)) << old_size << " to " << size;

      ConsistencyClaim other = claim;
      other.old_root[size % 32] ^= std::byte{1};
      ASSERT_FALSE(verify_consistency(other, proof)) << old_size << " to " << size;
      if (old_size > 0) {  // the empty tree says nothing about a later one
        other = claim;
        other.root[old_size % 32] ^= std::byte{1};
        ASSERT_FALSE(verify_consistency(other, proof)) << old_size << " to " << size;
      }
      proof.push_back(claim.root);
      ASSERT_FALSE(verify_consistency(claim, proof));
      proof.pop_back();
      if (proof.empty()) continue;
      const size_t at = (old_size + size) % proof.size();
      proof[at][(old_size * 7 + size) % 32] ^= std::byte{4};
      ASSERT_FALSE(verify_consistency(claim, proof)) << old_size << " to " << size;
      proof[at][(old_size * 7 + size) % 32] ^= std::byte{4};
      proof.pop_back();
      ASSERT_FALSE(verify_consistency(claim, proof)) << old_size << " to " << size;
    }
  }
}

TEST(Merkle, a_history_that_was_rewritten_is_not_consistent) {
  const Tree tree = tree_of(100);
  Tree rewritten;
  for (uint64_t i = 0; i < 100; ++i) rewritten.append(i == 41 ? leaf_hash("another") : tree.subtree(0, i));
  for (uint64_t old_size = 42; old_size < 100; ++old_size) {
    const ConsistencyClaim claim{old_size, tree.root(old_size), 100, rewritten.root(100)};
    EXPECT_FALSE(verify_consistency(claim, rewritten.consistency_proof(old_size, 100)));
    EXPECT_FALSE(verify_consistency(claim, tree.consistency_proof(old_size, 100)));
  }
}

TEST(Merkle, forgets_leaves_without_a_trace) {
  Tree tree = tree_of(kLargest);
  for (uint64_t size : {255, 128, 77, 1, 0}) {
    const Hash wanted = tree.root(size);
    tree.truncate(size);
    EXPECT_EQ(tree.size(), size);
    EXPECT_EQ(tree.root(size), wanted);
  }
  tree.append(leaf_hash("entry 0"));
  EXPECT_EQ(tree.root(1), tree_of(1).root(1));
}

TEST(Merkle, refuses_numbers_outside_the_tree) {
  const Tree tree = tree_of(5);
  EXPECT_THROW(tree.root(6), Error);
  EXPECT_THROW(tree.inclusion_proof(5, 5), Error);
  EXPECT_THROW(tree.inclusion_proof(0, 6), Error);
  EXPECT_THROW(tree.consistency_proof(4, 3), Error);
  EXPECT_FALSE(verify_inclusion({tree.subtree(0, 0), 0, 0, tree.root(0)}, {}));
}

}  // namespace
}  // namespace maquette::tlog
