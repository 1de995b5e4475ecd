// For tests: a key, and a log of entries whose text is known.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "tlog/log.h"

namespace maquette::tlog {

inline NoteSigner test_signer(char seed = 7) {
  return {"studio.example/lanterns", SigningKey::from_seed(std::string(32, seed)).take()};
}

inline std::string test_entry(uint64_t index) { return fmt::format("entry {}", index); }

inline std::vector<std::string> test_entries(uint64_t begin, uint64_t end) {
  std::vector<std::string> entries;
  for (uint64_t i = begin; i < end; ++i) entries.push_back(test_entry(i));
  return entries;
}

// A folder of its own for each test, gone with it.
class LogFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("tlog_{}", ::getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  std::vector<VerifierKey> keys_{test_signer().verifier_key()};
};

}  // namespace maquette::tlog
