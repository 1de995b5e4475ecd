// What tools/check_log has judged by another implementation: a log of 300 entries, a proof file of each of
// some, and the proofs of all pairs up to 257, as lines of JSON. Written into the build's folder "log".
#include <fstream>

#include "base/json.h"
#include "tlog/proof_file.h"
#include "tlog/test_log.h"

namespace maquette::tlog {
namespace {

const fs::path kOut = fs::path(MAQUETTE_BINARY_DIR) / "log";

Json base64_list(const std::vector<Hash>& hashes) {
  Json list = Json::array();
  for (const Hash& hash : hashes) list.push_back(base64_of(hash));
  return list;
}

TEST(LogVectors, a_log_and_its_proof_files) {
  fs::remove_all(kOut / "lanterns");
  Log log = Log::open(kOut / "lanterns", test_signer());
  log.append(test_entries(0, 120));
  fs::copy_file(kOut / "lanterns/checkpoint", kOut / "older", fs::copy_options::overwrite_existing);
  const Checkpoint checkpoint = log.append(test_entries(120, 300));
  write_file_atomically(kOut / "key", test_signer().verifier_key().text() + "\n");

  const Tree tree = read_tree(kOut / "lanterns", 300).take();
  for (const uint64_t index : {0, 1, 137, 255, 256, 299}) {
    const ProofFile proof{.index = index,
                          .hashes = tree.inclusion_proof(index, 300),
                          .checkpoint = read_text_file(kOut / "lanterns/checkpoint").take()};
    write_file_atomically(kOut / fmt::format("{}.tlog-proof", index), proof.text());
    write_file_atomically(kOut / fmt::format("{}.entry", index), test_entry(index));
  }
  EXPECT_EQ(checkpoint.root, tree.root(300));
  // The log in tests/golden/log was written by this test once: what is published must never read differently.
  for (const char* name : {"lanterns/checkpoint", "older", "key", "137.tlog-proof", "137.entry"}) {
    EXPECT_EQ(read_text_file(kOut / name).take(), read_text_file(fs::path("tests/golden/log") / name).take())
        << name;
  }
}

TEST(LogVectors, proofs_of_all_pairs) {
  constexpr uint64_t kLargest = 257;
  fs::create_directories(kOut);
  Tree tree;
  for (uint64_t i = 0; i < kLargest; ++i) tree.append(leaf_hash(test_entry(i)));
  std::ofstream roots(kOut / "roots.jsonl");
  std::ofstream inclusion(kOut / "inclusion.jsonl");
  std::ofstream consistency(kOut / "consistency.jsonl");
  for (uint64_t size = 0; size <= kLargest; ++size) {
    roots << Json{{"size", size}, {"root", base64_of(tree.root(size))}} << "\n";
    for (uint64_t index = 0; index < size; ++index)
      inclusion << Json{{"size", size},
                        {"index", index},
                        {"proof", base64_list(tree.inclusion_proof(index, size))}}
                << "\n";
    for (uint64_t old = 1; old <= size; ++old)
      consistency << Json{{"size", size},
                          {"old", old},
                          {"proof", base64_list(tree.consistency_proof(old, size))}}
                  << "\n";
  }
  EXPECT_TRUE(roots && inclusion && consistency);
}

}  // namespace
}  // namespace maquette::tlog
