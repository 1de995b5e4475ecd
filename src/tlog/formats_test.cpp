// The texts and bytes of the C2SP formats: written as the specifications say, read back, and refused when
// altered.
#include <fstream>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "tlog/checkpoint.h"
#include "tlog/note.h"
#include "tlog/proof_file.h"
#include "tlog/tiles.h"

namespace maquette::tlog {
namespace {

NoteSigner signer(const std::string& name, char seed = 7) {
  return {name, SigningKey::from_seed(std::string(32, seed)).take()};
}

// The published key of the Go checksum database, an Ed25519 key made by another implementation.
TEST(VerifierKey, of_a_public_log_is_read) {
  const std::string text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
  const Result<VerifierKey> key = parse_verifier_key(text);
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->name, "sum.golang.org");
  EXPECT_EQ(key->id, 0x033de0aeu);
  EXPECT_EQ(key->text(), text);
}

TEST(VerifierKey, is_refused_where_a_letter_differs) {
  const std::string text = signer("studio.example/lanterns").verifier_key().text();
  ASSERT_TRUE(parse_verifier_key(text));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(parse_verifier_key(other)) << other;
  }
  for (const char* bad :
       {"", "+", "++", "a+00000000+", "a b+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"})
    EXPECT_FALSE(parse_verifier_key(bad)) << bad;
}

TEST(Note, is_signed_and_known_by_its_keys) {
  const NoteSigner show = signer("studio.example/lanterns");
  const NoteSigner person = signer("studio.example/ana", 8);
  const NoteSigner stranger = signer("studio.example/lanterns", 9);  // the same name, another key
  std::string note = sign_note("one\n\ntwo\n", show);
  note = add_signature(note, person).take();
  note = add_signature(note, stranger).take();

  const Note read = parse_note(note, "note").take();
  EXPECT_EQ(read.text, "one\n\ntwo\n");
  ASSERT_EQ(read.signatures.size(), 3u);
  const std::vector<VerifierKey> keys{show.verifier_key(), person.verifier_key()};
  EXPECT_EQ(signers_of(read, keys, "note").take(), keys);

  const VerifierKey unknown[] = {signer("elsewhere.example/x").verifier_key()};
  EXPECT_FALSE(signers_of(read, unknown, "note"));
  EXPECT_FALSE(signers_of(read, {}, "note"));
}

TEST(Note, with_one_wrong_signature_of_a_known_key_is_refused_whole) {
  const NoteSigner show = signer("studio.example/lanterns");
  const NoteSigner person = signer("studio.example/ana", 8);
  const std::string note = sign_note("text\n", show) + person.signature_line("another text\n");
  const std::vector<VerifierKey> keys{show.verifier_key(), person.verifier_key()};
  EXPECT_FALSE(signers_of(parse_note(note, "note").take(), keys, "note"));
}

TEST(Note, refuses_what_is_no_note) {
  const std::string good = sign_note("text\n", signer("a"));
  for (const std::string& bad : {std::string(), std::string("text\n"), std::string("text\n\n"),
                                 good.substr(0, good.size() - 1), good + "x\n", "\x01" + good, "\xff" + good,
                                 "\xc0\xaf" + good, good + "\n", std::string(kMaxNoteBytes, 'x') + good})
    EXPECT_FALSE(parse_note(bad, "note")) << bad.substr(0, 100);
  std::string many = "text\n\n";
  for (size_t i = 0; i <= kMaxSignatures; ++i) many += signer("a").signature_line("text\n");
  EXPECT_FALSE(parse_note(many, "note"));
}

TEST(Note, is_not_signed_under_a_name_that_breaks_its_lines) {
  for (const char* name : {"", "a b", "a+b", "a\nb",
                           "a\xc2\xa0"
                           "b",
                           "\xff"})
    EXPECT_THROW(signer(name), Error) << name;
}

TEST(Checkpoint, is_written_as_specified_and_read_back) {
  const Checkpoint checkpoint{
      .origin = "studio.example/lanterns", .size = 3, .root = leaf_hash("x"), .extensions = {"more"}};
  EXPECT_EQ(checkpoint.text(), "studio.example/lanterns\n3\n" + base64_of(leaf_hash("x")) + "\nmore\n");
  const Checkpoint read = parse_checkpoint(checkpoint.text(), "checkpoint").take();
  EXPECT_EQ(read.text(), checkpoint.text());
}

TEST(Checkpoint, refuses_other_texts) {
  const std::string root = base64_of(leaf_hash("x"));
  for (const std::string& bad :
       {std::string(), std::string("a\n1\n"), "a\n01\n" + root + "\n", "a\n-1\n" + root + "\n",
        "a\n1\n" + root, "a\n1\n" + root + "A\n", "\n1\n" + root + "\n", "a\n1\n" + root + "\n\n",
        "a\n99999999999999999999\n" + root + "\n", "a\n1 \n" + root + "\n"})
    EXPECT_FALSE(parse_checkpoint(bad, "checkpoint")) << bad;
}

TEST(Checkpoint, of_another_log_is_not_vouched_for) {
  const NoteSigner mine = signer("studio.example/lanterns");
  const VerifierKey keys[] = {mine.verifier_key()};
  Checkpoint checkpoint{.origin = "studio.example/lanterns"};
  EXPECT_TRUE(open_checkpoint(sign_note(checkpoint.text(), mine), keys, "checkpoint"));
  checkpoint.origin = "studio.example/other";
  EXPECT_FALSE(open_checkpoint(sign_note(checkpoint.text(), mine), keys, "checkpoint"));
}

TEST(Checkpoint, is_refused_where_any_bit_differs) {
  const NoteSigner mine = signer("studio.example/lanterns");
  const VerifierKey keys[] = {mine.verifier_key()};
  const Checkpoint checkpoint{.origin = "studio.example/lanterns", .size = 3, .root = leaf_hash("x")};
  const std::string note = sign_note(checkpoint.text(), mine);
  ASSERT_TRUE(open_checkpoint(note, keys, "checkpoint"));
  for (size_t i = 0; i < 8 * note.size(); ++i) {
    std::string other = note;
    other[i / 8] = static_cast<char>(other[i / 8] ^ 1 << i % 8);
    EXPECT_FALSE(open_checkpoint(other, keys, "checkpoint")) << other;
  }
}

TEST(Tiles, have_the_names_of_the_specification) {
  EXPECT_EQ((TileName{.level = 0, .index = 1234067}.path()), "tile/0/x001/x234/067");
  EXPECT_EQ((TileName{.level = 1, .index = 0, .width = 17}.path()), "tile/1/000.p/17");
  EXPECT_EQ((TileName{.kind = TileKind::entries, .index = 1000}.path()), "tile/entries/x001/000");
  EXPECT_EQ((TileName{.kind = TileKind::entries, .index = 999, .width = 1}.path()), "tile/entries/999.p/1");
  for (const uint64_t index : {0, 7, 999, 1000, 1234067, 999999999}) {
    for (const uint64_t width : {1, 255, 256}) {
      const TileName tile{.level = 2, .index = index, .width = width};
      EXPECT_EQ(parse_tile_path(tile.path()), tile) << tile.path();
    }
  }
}

TEST(Tiles, have_one_name_each) {
  for (const char* path : {"",
                           "tile",
                           "tile/0",
                           "tile/0/0",
                           "tile/0/0000",
                           "tile/00/000",
                           "tile/8/000",
                           "tile/0/x000/001",
                           "tile/0/001/002",
                           "tile/0/000.p",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/01",
                           "tile/0/x001",
                           "tile/0/000/",
                           "/tile/0/000",
                           "tile/entries",
                           "tile/-1/000",
                           "tile/0/x001.p/3",
                           "tile/0/a00",
                           "other/0/000",
                           "tile/0/x999/x999/x999/x999/x999/x999/999"})
    EXPECT_FALSE(parse_tile_path(path)) << path;
}

TEST(Tiles, of_a_size_are_those_of_the_specification) {
  // Its example: 273 full and one partial tile of level 0, one full and one partial of level 1, one of
  // level 2.
  const std::vector<TileName> tiles = tiles_of(70000);
  ASSERT_EQ(tiles.size(), 274u + 274 + 2 + 1);
  EXPECT_EQ(tiles[273].path(), "tile/entries/273.p/112");
  EXPECT_EQ(tiles[274 + 273].path(), "tile/0/273.p/112");
  EXPECT_EQ(tiles[274 + 274].path(), "tile/1/000");
  EXPECT_EQ(tiles[274 + 275].path(), "tile/1/001.p/17");
  EXPECT_EQ(tiles[274 + 276].path(), "tile/2/000.p/1");
  EXPECT_TRUE(tiles_of(0).empty());
  EXPECT_EQ(tiles_of(256).back().path(), "tile/1/000.p/1");
}

TEST(Tiles, hold_exactly_their_hashes_and_entries) {
  const std::vector<Hash> hashes{leaf_hash("a"), leaf_hash("b")};
  EXPECT_EQ(parse_tile(write_tile(hashes), 2, "tile").take(), hashes);
  EXPECT_FALSE(parse_tile(write_tile(hashes), 1, "tile"));
  EXPECT_FALSE(parse_tile(write_tile(hashes).substr(1), 2, "tile"));

  const std::vector<std::string> entries{"", "sea", std::string(kMaxEntryBytes, 'x')};
  const std::string bytes = write_bundle(entries);
  EXPECT_EQ(bytes.substr(0, 7), std::string("\0\0\0\3sea", 7));
  EXPECT_EQ(parse_bundle(bytes, 3, "bundle").take(), entries);
  EXPECT_FALSE(parse_bundle(bytes, 2, "bundle"));
  EXPECT_FALSE(parse_bundle(bytes, 4, "bundle"));
  EXPECT_FALSE(parse_bundle(bytes.substr(0, bytes.size() - 1), 3, "bundle"));
  EXPECT_FALSE(parse_bundle(bytes + '\0', 3, "bundle"));
  EXPECT_THROW(write_bundle(std::vector{std::string(kMaxEntryBytes + 1, 'x')}), Error);
}

// A proof file over a tree of five entries.
struct Proven {
  NoteSigner mine = signer("studio.example/lanterns");
  std::vector<VerifierKey> keys{mine.verifier_key()};
  ProofFile proof;

  explicit Proven(uint64_t index) {
    Tree tree;
    for (const char* entry : {"0", "1", "2", "3", "4"}) tree.append(leaf_hash(entry));
    const Checkpoint checkpoint{.origin = mine.name(), .size = 5, .root = tree.root(5)};
    proof.index = index;
    proof.hashes = tree.inclusion_proof(index, 5);
    proof.checkpoint = sign_note(checkpoint.text(), mine);
  }
};

TEST(ProofFile, proves_its_entry_alone) {
  Proven it(3);
  for (const std::optional<std::string>& extra :
       {std::optional<std::string>(), std::optional<std::string>("notes")}) {
    it.proof.extra = extra;
    const std::string text = it.proof.text();
    const ProofFile read = parse_proof_file(text, "proof").take();
    EXPECT_EQ(read.text(), text);
    EXPECT_EQ(read.extra, extra);
    EXPECT_EQ(verify_proof(read, "3", it.keys, "proof").take().checkpoint.size, 5u);
    EXPECT_FALSE(verify_proof(read, "2", it.keys, "proof"));
    EXPECT_FALSE(verify_proof(read, "3", {}, "proof"));
  }
}

TEST(ProofFile, is_refused_where_any_bit_differs) {
  const Proven it(2);
  const std::string text = it.proof.text();
  for (size_t i = 0; i < 8 * text.size(); ++i) {
    std::string other = text;
    other[i / 8] = static_cast<char>(other[i / 8] ^ 1 << i % 8);
    const Result<ProofFile> proof = parse_proof_file(other, "proof");
    EXPECT_FALSE(proof && verify_proof(*proof, "2", it.keys, "proof")) << other;
  }
}

TEST(ProofFile, refuses_what_is_cut_short) {
  const std::string text = Proven(1).proof.text();
  const size_t signed_part = text.find("\n\n") + 2;
  for (size_t size = 0; size <= signed_part; ++size)
    EXPECT_FALSE(parse_proof_file(text.substr(0, size), "proof"));
}

}  // namespace
}  // namespace maquette::tlog
