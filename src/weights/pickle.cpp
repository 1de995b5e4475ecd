// The pickle machine (Python's pickletools module describes the opcodes): a stack of values, marks on it, and
// a memo. Values are nodes in one array and refer to each other by index, so that cycles cost nothing. Calls
// go through a table of roles, see pickle_globals.h; no Python code is ever looked up or run.

#include "weights/pickle.h"

#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "weights/pickle_globals.h"

namespace maquette::weights {

namespace {

constexpr size_t kMaxNodes = 4'000'000;  // SDXL's checkpoint needs fewer than 100,000
constexpr size_t kMaxStack = 4'000'000;
constexpr size_t kMaxCopied = 4'000'000;  // entries copied from one collection into another

// Opcodes by their letters in pickletools.
enum : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersid = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kDict = 'd',
  kEmptyDict = '}',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

using Index = uint32_t;

class Machine {
 public:
  explicit Machine(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Runs to the end of the pickle; false with problem() where it cannot.
  bool run();
  const std::string& problem() const { return problem_; }
  PickleDocument take() { return std::move(document_); }

 private:
  bool step(uint8_t opcode);
  bool step_value(uint8_t opcode);
  bool step_collection(uint8_t opcode);

  bool fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return false;
  }
  template <typename T>
  bool take_number(T& value) {
    if (bytes_.size() - at_ < sizeof(T)) return fail("the pickle ends inside a number");
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  bool take_text(uint64_t size, std::string& text) {
    if (size > bytes_.size() - at_) return fail("the pickle ends inside a text");
    text.assign(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
    return true;
  }
  bool take_line(std::string& text);

  bool push(PickleNode node) {
    if (document_.nodes.size() >= kMaxNodes) return fail("more values than any checkpoint has");
    document_.nodes.push_back(std::move(node));
    return push_index(static_cast<Index>(document_.nodes.size() - 1));
  }
  bool push_index(Index index) {
    if (stack_.size() >= kMaxStack) return fail("a stack deeper than any checkpoint needs");
    stack_.push_back(index);
    return true;
  }
  bool push_kind(PickleKind kind, int64_t integer = 0) { return push({.kind = kind, .integer = integer}); }
  template <typename Length>
  bool push_text();
  bool push_real();
  bool push_long(uint64_t size);
  bool push_global(const std::string& name);
  bool push_tuple(size_t size);

  // How many values lie above the last mark (or at all, where there is none).
  size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  bool pop(Index& index) {
    if (available() == 0) return fail("a value is missing on the stack");
    index = stack_.back();
    stack_.pop_back();
    return true;
  }
  bool pop_to_mark(std::vector<Index>& items);
  PickleNode& node(Index index) { return document_.nodes[index]; }
  const PickleGlobal& global_of(const PickleNode& node) const {
    return *globals_[static_cast<size_t>(node.integer)];
  }
  bool top(PickleKind kind, Index& index);

  bool store(uint64_t slot) {
    if (available() == 0) return fail("nothing to remember");
    if (slot > kMaxNodes) return fail("an absurd memo index");
    memo_[slot] = stack_.back();
    return true;
  }
  // Copies can be asked for again and again by a few bytes each: their sum is bounded.
  bool copying(size_t entries) {
    copied_ += entries;
    return copied_ <= kMaxCopied || fail("more copies than any checkpoint needs");
  }
  bool recall(uint64_t slot) {
    const auto found = memo_.find(slot);
    return found == memo_.end() ? fail("a memo that was never set") : push_index(found->second);
  }

  bool call();  // REDUCE
  bool call_role(PickleRole role, Index target, Index arguments);
  bool new_object();          // NEWOBJ
  bool build();               // BUILD
  bool persistent_storage();  // BINPERSID
  bool storage_view(Index view, PickleStorage& storage);
  bool rebuild_tensor(Index arguments, bool typed);
  bool integers_of(Index index, std::vector<int64_t>& values);

  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  PickleDocument document_;
  std::vector<const PickleGlobal*> globals_;  // PickleNode::integer of a global is its place here
  std::vector<Index> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Index> memo_;
  size_t copied_ = 0;
  std::string problem_;
};

bool Machine::run() {
  while (at_ < bytes_.size()) {
    const auto opcode = static_cast<uint8_t>(bytes_[at_++]);
    if (opcode == kStop) {
      if (stack_.size() != 1 || !marks_.empty()) return fail("the pickle does not end with one value");
      document_.root = stack_.back();
      document_.size = at_;
      return true;
    }
    if (!step(opcode)) return false;
  }
  return fail("the pickle is cut off");
}

bool Machine::step(uint8_t opcode) {
  Index index = 0;
  uint8_t small = 0;
  uint32_t large = 0;
  uint64_t frame = 0;
  std::string module, name;
  switch (opcode) {
    case kProto: return take_number(small) && (small <= 5 || fail("a pickle protocol above 5"));
    case kFrame: return take_number(frame);
    case kMark: marks_.push_back(stack_.size()); return marks_.size() <= kMaxStack || fail("too many marks");
    case kPop: return pop(index);
    case kDup: return available() > 0 ? push_index(stack_.back()) : fail("nothing to duplicate");
    case kBinPut: return take_number(small) && store(small);
    case kLongBinPut: return take_number(large) && store(large);
    case kMemoize: return store(memo_.size());
    case kBinGet: return take_number(small) && recall(small);
    case kLongBinGet: return take_number(large) && recall(large);
    case kGlobal: return take_line(module) && take_line(name) && push_global(module + " " + name);
    case kStackGlobal: {
      Index second = 0;
      if (!pop(second) || !pop(index)) return false;
      if (node(index).kind != PickleKind::text || node(second).kind != PickleKind::text) {
        return fail("a global whose name is not text");
      }
      return push_global(node(index).text + " " + node(second).text);
    }
    case kReduce: return call();
    case kNewObj: return new_object();
    case kBuild: return build();
    case kBinPersid: return persistent_storage();
    default: return step_value(opcode);
  }
}

bool Machine::step_value(uint8_t opcode) {
  int32_t integer = 0;
  uint8_t small = 0;
  uint16_t medium = 0;
  uint32_t large = 0;
  switch (opcode) {
    case kNone: return push_kind(PickleKind::none);
    case kNewTrue: return push_kind(PickleKind::boolean, 1);
    case kNewFalse: return push_kind(PickleKind::boolean, 0);
    case kBinInt: return take_number(integer) && push_kind(PickleKind::integer, integer);
    case kBinInt1: return take_number(small) && push_kind(PickleKind::integer, small);
    case kBinInt2: return take_number(medium) && push_kind(PickleKind::integer, medium);
    case kLong1: return take_number(small) && push_long(small);
    case kLong4: return take_number(large) && push_long(large);
    case kBinFloat: return push_real();
    case kShortBinString:
    case kShortBinBytes:
    case kShortBinUnicode: return push_text<uint8_t>();
    case kBinString:
    case kBinBytes:
    case kBinUnicode: return push_text<uint32_t>();
    case kBinBytes8:
    case kBinUnicode8: return push_text<uint64_t>();
    default: return step_collection(opcode);
  }
}

bool Machine::step_collection(uint8_t opcode) {
  std::vector<Index> items;
  Index target = 0;
  Index key = 0;
  Index value = 0;
  switch (opcode) {
    case kEmptyTuple: return push_kind(PickleKind::tuple);
    case kTuple1: return push_tuple(1);
    case kTuple2: return push_tuple(2);
    case kTuple3: return push_tuple(3);
    case kTuple: return pop_to_mark(items) && push({.kind = PickleKind::tuple, .items = std::move(items)});
    case kEmptyList: return push_kind(PickleKind::list);
    case kList: return pop_to_mark(items) && push({.kind = PickleKind::list, .items = std::move(items)});
    case kEmptyDict: return push_kind(PickleKind::dict);
    case kDict: return pop_to_mark(items) && push({.kind = PickleKind::dict, .items = std::move(items)});
    case kAppend:
      if (!pop(value) || !top(PickleKind::list, target)) return false;
      node(target).items.push_back(value);
      return true;
    case kAppends:
      if (!pop_to_mark(items) || !top(PickleKind::list, target)) return false;
      node(target).items.insert(node(target).items.end(), items.begin(), items.end());
      return true;
    case kSetItem:
      if (!pop(value) || !pop(key) || !top(PickleKind::dict, target)) return false;
      node(target).items.insert(node(target).items.end(), {key, value});
      return true;
    case kSetItems:
      if (!pop_to_mark(items) || !top(PickleKind::dict, target)) return false;
      if (items.size() % 2 != 0) return fail("a key without a value");
      node(target).items.insert(node(target).items.end(), items.begin(), items.end());
      return true;
    case kEmptySet: return push_kind(PickleKind::opaque);
    case kAddItems: return pop_to_mark(items) && top(PickleKind::opaque, target);
    case kFrozenSet: return pop_to_mark(items) && push_kind(PickleKind::opaque);
    case kPopMark: return pop_to_mark(items);
    default: return fail(fmt::format("the opcode 0x{:02x}, which no checkpoint needs", opcode));
  }
}

bool Machine::take_line(std::string& text) {
  const char* begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
  const size_t left = std::min<size_t>(bytes_.size() - at_, 512);
  const void* end = left == 0 ? nullptr : std::memchr(begin, '\n', left);
  if (!end) return fail("a global without the end of its name");
  text.assign(begin, static_cast<const char*>(end));
  at_ += text.size() + 1;
  return true;
}

template <typename Length>
bool Machine::push_text() {
  Length size = 0;
  PickleNode text{.kind = PickleKind::text};
  return take_number(size) && take_text(size, text.text) && push(std::move(text));
}

bool Machine::push_real() {
  uint64_t bits = 0;  // big-endian, unlike everything else
  if (!take_number(bits)) return false;
  return push({.kind = PickleKind::real, .real = std::bit_cast<double>(__builtin_bswap64(bits))});
}

bool Machine::push_long(uint64_t size) {
  std::string digits;
  if (!take_text(size, digits)) return false;
  // Two's complement, little-endian. Longer than 64 bits only in the magic number of legacy files, whose
  // bytes are kept as text for the comparison.
  if (size > 8) return push({.kind = PickleKind::integer, .integer = INT64_MAX, .text = std::move(digits)});
  uint64_t value = size > 0 && (static_cast<uint8_t>(digits.back()) & 0x80) ? ~uint64_t{0} : 0;
  for (size_t i = size; i-- > 0;) value = (value << 8) | static_cast<uint8_t>(digits[i]);
  return push_kind(PickleKind::integer, static_cast<int64_t>(value));
}

bool Machine::push_global(const std::string& name) {
  const PickleGlobal* global = find_pickle_global(name);
  if (!global) {
    std::string shown = name;
    if (const size_t space = shown.find(' '); space != std::string::npos) shown[space] = '.';
    return fail(fmt::format("the name \"{}\", which is not needed to rebuild tensors and is refused",
                            printable(shown)));
  }
  globals_.push_back(global);
  return push(
      {.kind = PickleKind::global, .integer = static_cast<int64_t>(globals_.size() - 1), .text = name});
}

bool Machine::push_tuple(size_t size) {
  if (available() < size) return fail("a tuple without its values");
  std::vector<Index> items(stack_.end() - static_cast<std::ptrdiff_t>(size), stack_.end());
  stack_.resize(stack_.size() - size);
  return push({.kind = PickleKind::tuple, .items = std::move(items)});
}

bool Machine::pop_to_mark(std::vector<Index>& items) {
  if (marks_.empty()) return fail("a mark is missing");
  const size_t mark = marks_.back();
  marks_.pop_back();
  items.assign(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
  stack_.resize(mark);
  return true;
}

bool Machine::top(PickleKind kind, Index& index) {
  if (available() == 0) return fail("a collection is missing on the stack");
  index = stack_.back();
  return node(index).kind == kind || fail("values put into something that is not a collection");
}

bool Machine::call() {
  Index arguments = 0;
  Index callee = 0;
  if (!pop(arguments) || !pop(callee)) return false;
  if (node(callee).kind != PickleKind::global || node(arguments).kind != PickleKind::tuple) {
    return fail("a call of something that is not a function");
  }
  return call_role(global_of(node(callee)).role, callee, arguments);
}

bool Machine::call_role(PickleRole role, Index target, Index arguments) {
  const std::vector<Index>& items = node(arguments).items;
  switch (role) {
    case PickleRole::ordered_dict: {
      // OrderedDict() or, from old Pythons, OrderedDict([[key, value], ...]).
      PickleNode dict{.kind = PickleKind::dict};
      if (!items.empty()) {
        if (!copying(node(items[0]).items.size())) return false;
        for (const Index pair : node(items[0]).items) {
          const auto& fields = node(pair).items;
          if (fields.size() == 2) dict.items.insert(dict.items.end(), fields.begin(), fields.end());
        }
      }
      return push(std::move(dict));
    }
    case PickleRole::parameter_dict: return push_kind(PickleKind::dict);
    case PickleRole::rebuild_tensor: return rebuild_tensor(arguments, false);
    case PickleRole::rebuild_tensor_v3: return rebuild_tensor(arguments, true);
    case PickleRole::rebuild_parameter:
      if (items.empty() || node(items[0]).kind != PickleKind::tensor)
        return fail("a parameter without its tensor");
      return push_index(items[0]);
    case PickleRole::size: return items.empty() ? push_kind(PickleKind::tuple) : push_index(items[0]);
    case PickleRole::dropped: return push_kind(PickleKind::opaque);
    case PickleRole::storage_type:
    case PickleRole::element_type:
    case PickleRole::name_only: break;
  }
  return fail(fmt::format("a call of \"{}\", which is refused", printable(node(target).text)));
}

bool Machine::new_object() {
  Index arguments = 0;
  Index type = 0;
  if (!pop(arguments) || !pop(type)) return false;
  if (node(type).kind == PickleKind::global) {
    const PickleRole role = global_of(node(type)).role;
    if (role == PickleRole::ordered_dict || role == PickleRole::parameter_dict)
      return push_kind(PickleKind::dict);
  }
  return fail(fmt::format("an object of \"{}\", which is refused", printable(node(type).text)));
}

// BUILD sets attributes. They matter only for ParameterDict, whose parameters lie in the attribute
// _parameters; for dicts (`_metadata` of a state dict), tensors and dropped values they are ignored.
bool Machine::build() {
  Index state = 0;
  if (!pop(state)) return false;
  if (available() == 0) return fail("attributes of nothing");
  const Index target = stack_.back();
  const PickleKind kind = node(target).kind;
  if (kind != PickleKind::dict && kind != PickleKind::tensor && kind != PickleKind::opaque) {
    return fail("attributes of something that has none");
  }
  if (kind != PickleKind::dict || node(state).kind != PickleKind::dict || state == target) return true;
  const std::vector<Index> fields = node(state).items;
  if (!copying(fields.size())) return false;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (node(fields[i]).text != "_parameters" || node(fields[i + 1]).kind != PickleKind::dict) continue;
    const std::vector<Index> parameters = node(fields[i + 1]).items;
    if (!copying(parameters.size())) return false;
    node(target).items.insert(node(target).items.end(), parameters.begin(), parameters.end());
  }
  return true;
}

// ('storage', storage type, key, device, number of elements[, view])
bool Machine::persistent_storage() {
  Index id = 0;
  if (!pop(id)) return false;
  const std::vector<Index>& fields = node(id).items;
  if (node(id).kind != PickleKind::tuple || fields.size() < 5 || node(fields[0]).text != "storage" ||
      node(fields[1]).kind != PickleKind::global || node(fields[2]).kind != PickleKind::text ||
      node(fields[4]).kind != PickleKind::integer || node(fields[4]).integer < 0) {
    return fail("a storage that is not described as PyTorch does");
  }
  const PickleGlobal& global = global_of(node(fields[1]));
  if (global.role != PickleRole::storage_type) return fail("a storage of an unknown type");
  PickleStorage storage{.key = node(fields[2]).text,
                        .type = global.type,
                        .untyped = global.untyped,
                        .elements = static_cast<uint64_t>(node(fields[4]).integer)};
  storage.root_elements = storage.elements;
  if (fields.size() > 5 && !storage_view(fields[5], storage)) return false;
  document_.storages.push_back(std::move(storage));
  return push_kind(PickleKind::storage, static_cast<int64_t>(document_.storages.size() - 1));
}

// Legacy files may describe a part of another storage: (key of the view, offset, size) in elements.
bool Machine::storage_view(Index view, PickleStorage& storage) {
  if (node(view).kind == PickleKind::none) return true;
  std::vector<int64_t> numbers;
  const std::vector<Index>& fields = node(view).items;
  if (node(view).kind != PickleKind::tuple || fields.size() != 3) return fail("a damaged view of a storage");
  for (const Index field : {fields[1], fields[2]}) {
    if (node(field).kind != PickleKind::integer || node(field).integer < 0)
      return fail("a damaged view of a storage");
    numbers.push_back(node(field).integer);
  }
  const auto end = checked_add(static_cast<uint64_t>(numbers[0]), static_cast<uint64_t>(numbers[1]));
  if (!end || *end > storage.elements) return fail("a view beyond the end of its storage");
  storage.offset = static_cast<uint64_t>(numbers[0]);
  storage.elements = static_cast<uint64_t>(numbers[1]);
  return true;
}

bool Machine::integers_of(Index index, std::vector<int64_t>& values) {
  const PickleKind kind = node(index).kind;
  if (kind != PickleKind::tuple && kind != PickleKind::list)
    return fail("a tensor whose shape is not a tuple");
  if (node(index).items.size() > static_cast<size_t>(Shape::kMaxRank))
    return fail("a tensor of too many dimensions");
  for (const Index item : node(index).items) {
    if (node(item).kind != PickleKind::integer) return fail("a tensor whose shape is not made of integers");
    values.push_back(node(item).integer);
  }
  return true;
}

bool Machine::rebuild_tensor(Index arguments, bool typed) {
  const std::vector<Index> fields = node(arguments).items;
  if (fields.size() < (typed ? 7 : 4) || node(fields[0]).kind != PickleKind::storage ||
      node(fields[1]).kind != PickleKind::integer || node(fields[1]).integer < 0) {
    return fail("a tensor that is not described as PyTorch does");
  }
  PickleTensor tensor{.storage = static_cast<uint32_t>(node(fields[0]).integer),
                      .offset = static_cast<uint64_t>(node(fields[1]).integer)};
  const PickleStorage& storage = document_.storages[tensor.storage];
  tensor.type = storage.type;
  if (typed) {
    const PickleNode& element = node(fields[6]);
    const bool known =
        element.kind == PickleKind::global && global_of(element).role == PickleRole::element_type;
    if (!known) return fail("a tensor of an unknown element type");
    tensor.type = global_of(element).type;
  } else if (storage.untyped) {
    return fail("a tensor over an untyped storage, without its element type");
  }
  if (!integers_of(fields[2], tensor.sizes) || !integers_of(fields[3], tensor.strides)) return false;
  if (tensor.sizes.size() != tensor.strides.size()) return fail("a tensor with more sizes than strides");
  document_.tensors.push_back(std::move(tensor));
  return push_kind(PickleKind::tensor, static_cast<int64_t>(document_.tensors.size() - 1));
}

}  // namespace

Result<PickleDocument> read_pickle(std::span<const std::byte> bytes, const std::string& file) {
  Machine machine(bytes);
  if (!machine.run()) {
    return Error(ErrorCode::bad_file, "cannot read the checkpoint \"{}\"", file)
        .with("found", machine.problem());
  }
  return machine.take();
}

}  // namespace maquette::weights
