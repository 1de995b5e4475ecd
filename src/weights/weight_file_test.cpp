#include "weights/weight_file.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace maquette::weights {
namespace {

const fs::path kFolder = "tests/golden/weights";

// Equal bit for bit after conversion to f32 (every stored form converts exactly), NaN included.
void expect_same_values(const Tensor& found, const Tensor& wanted, const std::string& name) {
  ASSERT_EQ(found.shape().text(), wanted.shape().text()) << name;
  const Tensor a = found.to(DType::f32);
  const Tensor b = wanted.to(DType::f32);
  EXPECT_EQ(std::memcmp(a.raw(), b.raw(), a.bytes()), 0) << name;
}

void expect_matches_golden(const fs::path& path) {
  const SharedWeightFile file = open_weight_file(path).take();
  const SharedWeightFile golden = open_weight_file(path.string() + ".expected.safetensors").take();
  EXPECT_EQ(file->tensors().size(), golden->tensors().size()) << path;
  for (const TensorInfo& info : golden->tensors()) {
    const TensorInfo* found = file->find(info.name);
    ASSERT_TRUE(found) << info.name;
    const Tensor tensor = file->read(info.name).take();
    EXPECT_EQ(tensor.dtype(), found->type) << info.name;
    expect_same_values(tensor, golden->read(info.name).take(), info.name);
    file->release(info.name);
    expect_same_values(file->read(info.name).take(), golden->read(info.name).take(),
                       info.name + " after release");
  }
}

TEST(WeightFile, reads_every_format_as_python_does) {
  for (const char* name :
       {"dtypes.safetensors", "unaligned.safetensors", "shards/model.safetensors.index.json", "new.ckpt",
        "legacy.ckpt", "deflated.ckpt", "types.gguf"}) {
    SCOPED_TRACE(name);
    expect_matches_golden(kFolder / name);
  }
}

TEST(WeightFile, delivers_the_stored_type_without_a_copy) {
  const SharedWeightFile file = open_weight_file(kFolder / "dtypes.safetensors").take();
  EXPECT_EQ(file->read("f16").take().dtype(), DType::f16);
  EXPECT_EQ(file->read("bf16").take().dtype(), DType::bf16);
  EXPECT_EQ(file->read("f8_e4m3").take().dtype(), DType::f32);
  EXPECT_EQ(file->read("f64").take().dtype(), DType::f32);
  EXPECT_EQ(file->find("f8_e4m3")->stored, "f8_e4m3");
  EXPECT_EQ(file->read("f32").take().raw(), file->read("f32").take().raw());  // both over the mapped bytes
  EXPECT_EQ(file->read("zero_size").take().elements(), 0);
  EXPECT_EQ(file->read("scalar").take().rank(), 0);
}

TEST(WeightFile, a_tensor_outlives_its_file) {
  Tensor tensor;
  {
    const SharedWeightFile file = open_weight_file(kFolder / "dtypes.safetensors").take();
    tensor = file->read("f32").take();
  }
  EXPECT_EQ(tensor.data()[3], -2.5f);
}

TEST(WeightFile, keeps_metadata) {
  const auto of = [](const char* name) { return open_weight_file(kFolder / name).take()->metadata(); };
  EXPECT_EQ(of("dtypes.safetensors").at("modelspec.title"), "every dtype");
  EXPECT_TRUE(of("unaligned.safetensors").empty());
  EXPECT_EQ(of("new.ckpt").at("global_step"), "875000");
  EXPECT_EQ(of("legacy.ckpt").at("name"), "a style");
  EXPECT_EQ(of("types.gguf").at("general.name"), "every type");
  EXPECT_EQ(of("types.gguf").at("test.number"), "7");
  EXPECT_EQ(of("types.gguf").count("test.words"), 0u);
}

TEST(WeightFile, names_the_missing_tensor_and_file) {
  const SharedWeightFile file = open_weight_file(kFolder / "dtypes.safetensors").take();
  const Result<Tensor> missing = file->read("conv_in.weight");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::weights);
  EXPECT_NE(missing.error().message().find("conv_in.weight"), std::string::npos);
  EXPECT_FALSE(open_weight_file(kFolder / "nowhere.safetensors"));
}

TEST(WeightFile, refuses_pickles_with_code_and_names_it) {
  for (const auto& [file, name] :
       {std::pair("exploit_system.ckpt", "posix.system"), std::pair("exploit_eval.ckpt", "builtin"),
        std::pair("exploit_nested.ckpt", "torch.storage._load_from_bytes")}) {
    const Result<SharedWeightFile> opened = open_weight_file(kFolder / file);
    ASSERT_FALSE(opened) << file;
    EXPECT_EQ(opened.error().code(), ErrorCode::bad_file);
    EXPECT_NE(opened.error().message().find(name), std::string::npos) << opened.error().message();
  }
}

// ---- damaged and hostile bytes ----

std::vector<std::byte> bytes_of(const fs::path& path) {
  const SharedBytes source = ByteSource::map(path).take();
  return {source->bytes().begin(), source->bytes().end()};
}

// Opens the bytes and reads all that is listed. Damage must end as an error or as values, never otherwise.
bool opens(std::span<const std::byte> bytes) {
  const Result<SharedWeightFile> file = open_weight_bytes(ByteSource::copy(bytes, "test"));
  if (!file) {
    EXPECT_EQ(file.error().code(), ErrorCode::bad_file);
    return false;
  }
  for (const TensorInfo& info : (*file)->tensors()) {
    const Result<Tensor> tensor = (*file)->read(info.name);
    if (tensor) {
      EXPECT_TRUE(tensor->shape() == info.shape);
    }
  }
  return true;
}

constexpr const char* kSound[] = {"dtypes.safetensors", "unaligned.safetensors", "new.ckpt",
                                  "legacy.ckpt",        "deflated.ckpt",         "types.gguf"};

TEST(WeightFile, refuses_truncated_files) {
  for (const char* name : kSound) {
    const std::vector<std::byte> whole = bytes_of(kFolder / name);
    ASSERT_TRUE(opens(whole)) << name;
    for (size_t sixteenth = 0; sixteenth < 16; ++sixteenth) {
      EXPECT_FALSE(opens(std::span(whole).first(whole.size() * sixteenth / 16))) << name << " " << sixteenth;
    }
    EXPECT_FALSE(opens(std::span(whole).first(whole.size() - 40))) << name;
  }
}

TEST(WeightFile, survives_changed_bytes) {
  std::mt19937 random(7);
  for (const char* name : kSound) {
    const std::vector<std::byte> whole = bytes_of(kFolder / name);
    for (int round = 0; round < 3000; ++round) {
      std::vector<std::byte> changed = whole;
      for (unsigned i = 0; i <= random() % 4; ++i)
        changed[random() % changed.size()] = std::byte(random() % 256);
      opens(changed);
    }
  }
}

std::vector<std::byte> safetensors_with(std::string_view header, size_t data_size) {
  std::vector<std::byte> bytes(8 + header.size() + data_size);
  const uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

std::string problem_of(std::span<const std::byte> bytes) {
  const Result<SharedWeightFile> file = open_weight_bytes(ByteSource::copy(bytes, "test"));
  return file ? "" : file.error().message();
}

TEST(Safetensors, explains_hostile_headers) {
  struct Case {
    std::string_view header;
    size_t data;
    std::string_view problem;
  };
  const Case cases[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       12, "overlaps"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "outside the file"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "outside the file"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551615]}})", 8,
       "outside the file"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "needs 12"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8, "absurd shape"},
      {R"({"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}})", 0, "absurd shape"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8, "absurd shape"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}})", 8, "a value where none belongs"},
      {R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4, "absurd shape"},
      {R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8, "unknown element type F33"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "without dtype"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8, "without dtype"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", 8, "more than two"},
      {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", 8, "an array where none belongs"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}})",
       8, "twice"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12, "belong to no tensor"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 9, "belong to no tensor"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8])", 8, "invalid JSON"},
      {R"({"a":[]})", 0, "an array where none belongs"},
      {R"({"a":{"b":{}}})", 0, "an object inside"},
  };
  for (const Case& c : cases) {
    EXPECT_NE(problem_of(safetensors_with(c.header, c.data)).find(c.problem), std::string::npos)
        << c.header << "\n"
        << problem_of(safetensors_with(c.header, c.data));
  }
}

TEST(Safetensors, accepts_metadata_in_every_published_form) {
  for (const char* header : {R"({})", R"({"__metadata__":{}})", R"({"__metadata__":null})",
                             R"({"__metadata__":{"epoch":3,"done":true}})"}) {
    EXPECT_EQ(problem_of(safetensors_with(header, 0)), "") << header;
  }
}

TEST(Safetensors, refuses_a_huge_header_before_reading_it) {
  std::vector<std::byte> bytes = safetensors_with("{}", 0);
  const uint64_t huge = UINT64_MAX;
  std::memcpy(bytes.data(), &huge, 8);
  EXPECT_NE(problem_of(bytes).find("more than the format allows"), std::string::npos);
}

// Lengths whose bytes look like the start of a pickle (0x0280), of text ("{") or of nothing in particular.
TEST(Safetensors, is_told_apart_whatever_its_header_length) {
  for (const size_t length : {2u, 32u, 123u, 0x0280u, 0x0580u, 0x7b7bu}) {
    std::string header = "{}";
    header.resize(length, ' ');
    const std::vector<std::byte> bytes = safetensors_with(header, 0);
    EXPECT_EQ(problem_of(bytes), "") << length;
    const fs::path path = fs::path(testing::TempDir()) / "length.safetensors";
    write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    EXPECT_TRUE(open_weight_file(path)) << length;
    fs::remove(path);
  }
}

TEST(SafetensorsIndex, refuses_ways_out_of_its_folder) {
  const fs::path folder = fs::path(testing::TempDir()) / "weights_index";
  fs::create_directories(folder);
  for (const char* file : {"../a.safetensors", "/etc/passwd", "..", ""}) {
    const fs::path path = folder / "model.safetensors.index.json";
    write_file_atomically(path, fmt::format(R"({{"weight_map":{{"a":"{}"}}}})", file));
    const Result<SharedWeightFile> opened = open_weight_file(path);
    ASSERT_FALSE(opened) << file;
    EXPECT_NE(opened.error().message().find("outside the folder"), std::string::npos)
        << opened.error().message();
  }
  fs::remove_all(folder);
}

// exploit_bomb.ckpt claims a packed storage of 4 GB in a file of a few hundred bytes.
TEST(Zip, refuses_decompression_bombs) {
  const std::string problem = problem_of(bytes_of(kFolder / "exploit_bomb.ckpt"));
  EXPECT_NE(problem.find("would take"), std::string::npos) << problem;
}

// A pickle of protocol 2 in the legacy stream's first place.
std::string pickle_problem(std::string_view body) {
  const std::string bytes = "\x80\x02" + std::string(body);
  return problem_of(std::as_bytes(std::span(bytes)));
}

TEST(Pickle, refuses_what_checkpoints_do_not_need) {
  using namespace std::string_view_literals;
  EXPECT_NE(pickle_problem("cos\nsystem\n(U\x04trueq\x01tR."sv).find("os.system"), std::string::npos);
  EXPECT_NE(pickle_problem("(U\x02osU\x06systemios\nsystem\n."sv).find("opcode"), std::string::npos);
  EXPECT_NE(
      pickle_problem("cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n)R."sv).find("refused"),
      std::string::npos);
  EXPECT_NE(pickle_problem("R."sv).find("missing on the stack"), std::string::npos);
  EXPECT_NE(pickle_problem("(t"sv).find("cut off"), std::string::npos);
  EXPECT_NE(pickle_problem("t."sv).find("mark"), std::string::npos);
  EXPECT_NE(pickle_problem("h\x05."sv).find("memo"), std::string::npos);
  EXPECT_NE(pickle_problem("X\xff\xff\xff\x7f."sv).find("ends inside"), std::string::npos);
}

// A dict that contains itself through the memo: {"a": <the same dict>}.
TEST(Pickle, stops_in_cycles) {
  const SharedWeightFile sound = open_weight_file(kFolder / "legacy.ckpt").take();
  using namespace std::string_view_literals;
  const std::string_view magic = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv;
  const std::string_view protocol = "\x80\x02M\xe9\x03."sv;
  const std::string_view system = "\x80\x02}."sv;
  const std::string_view cycle =
      "\x80\x02}q\x01U\x01"
      "ah\x01sU\x01"
      "bh\x01s."sv;
  const std::string_view keys = "\x80\x02]."sv;
  std::string bytes;
  for (const std::string_view part : {magic, protocol, system, cycle, keys}) bytes += part;
  EXPECT_EQ(problem_of(std::as_bytes(std::span(bytes))), "");  // no tensors in it, and no end of the world
}

}  // namespace
}  // namespace maquette::weights
