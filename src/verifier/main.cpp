// maquette-verify-log: checks a log, or the proof of one entry, with nothing but the files and the public
// key. It reads files, writes to the terminal, and does nothing else: no network, no settings. One of the
// places that catch Error.
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tlog/check.h"

namespace maquette::verifier {

namespace {

constexpr const char* kHelp =
    R"help(Checks a tamper-evident log with nothing but its files and its public key.

Usage:
  maquette-verify-log FOLDER --key VKEY [--older CHECKPOINT] [--json]
  maquette-verify-log --proof FILE.tlog-proof --entry FILE --key VKEY [--json]

  FOLDER              the log: checkpoint, tile/...
  --key VKEY          public key of the log, "NAME+ID+BASE64"; may be given several times
  --older CHECKPOINT  a checkpoint kept from before: the log must begin with all that it names
  --proof FILE        proof that one entry is in the log
  --entry FILE        the bytes of this entry
  --json              the answer as one line of JSON
  --help              this text

Exit codes: 0 it holds, 2 wrong arguments, 3 a file is missing, 5 it does not hold.

Example:
  maquette-verify-log delivery/log --key "$(cat lanterns.vkey)" --older checkpoint-of-may
)help";

struct Arguments {
  std::optional<std::string> folder;
  std::vector<std::string> keys;
  std::optional<std::string> older;
  std::optional<std::string> proof;
  std::optional<std::string> entry;
  bool json = false;
  bool help = false;
};

Error usage(const std::string& what) {
  return Error(ErrorCode::usage, "{}", what).hint("maquette-verify-log --help shows the arguments");
}

Arguments parse(const std::vector<std::string>& words) {
  Arguments a;
  const auto set_once = [](std::optional<std::string>& value, const std::string& name,
                           const std::string& word) {
    if (value) throw usage(name + " was given twice");
    value = word;
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == words.size()) throw usage(word + " needs a value");
      return words[++i];
    };
    if (word == "--help" || word == "-h") {
      a.help = true;
    } else if (word == "--json") {
      a.json = true;
    } else if (word == "--key") {
      a.keys.push_back(value());
    } else if (word == "--older") {
      set_once(a.older, word, value());
    } else if (word == "--proof") {
      set_once(a.proof, word, value());
    } else if (word == "--entry") {
      set_once(a.entry, word, value());
    } else if (word.starts_with("--")) {
      throw usage("there is no option " + word);
    } else {
      set_once(a.folder, "FOLDER", word);
    }
  }
  return a;
}

void require_one_question(const Arguments& a) {
  if (a.keys.empty()) throw usage("--key is missing: without the log's public key nothing is proven");
  if (a.folder.has_value() == a.proof.has_value()) throw usage("name a FOLDER, or a proof with --proof");
  if (a.proof.has_value() != a.entry.has_value()) throw usage("--proof and --entry belong together");
  if (a.older && !a.folder) throw usage("--older is for a FOLDER");
}

int run(const std::vector<std::string>& words) {
  const Arguments a = parse(words);
  if (a.help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  require_one_question(a);
  const tlog::Answer answer = a.folder ? tlog::check_folder(*a.folder, a.keys, a.older)
                                       : tlog::check_proof(*a.proof, *a.entry, a.keys);
  if (a.json) {
    std::printf("%s\n", answer.json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    for (const std::string& line : answer.lines) std::printf("%s\n", line.c_str());
  }
  return answer.holds ? 0 : exit_code(ErrorCode::bad_file);
}

int report(const Error& error) {
  std::fprintf(stderr, "maquette-verify-log: %s\n", error.message().c_str());
  return exit_code(error.code());
}

}  // namespace

}  // namespace maquette::verifier

int main(int argc, char** argv) {
  using maquette::Error;
  using maquette::ErrorCode;
  try {
    return maquette::verifier::run({argv + 1, argv + argc});
  } catch (const Error& error) {
    return maquette::verifier::report(error);
  } catch (const std::bad_alloc&) {
    return maquette::verifier::report(Error(ErrorCode::no_memory, "not enough memory"));
  } catch (const std::exception& error) {
    return maquette::verifier::report(Error(ErrorCode::failed, "{}", error.what()));
  }
}
