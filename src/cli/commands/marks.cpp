// mark, verify, keys: what files say about how they were made, and what signs it.
#include "app/marks.h"

#include <memory>

#include "app/signing_keys.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

// Where the keys are, and what opens them.
struct KeyArguments {
  std::string folder;
  std::string passphrase_file;
};

void add_folder(CLI::App& app, KeyArguments& arguments) {
  app.add_option("--keys", arguments.folder,
                 "folder of what signs (else MAQUETTE_KEYS, ~/.config/maquette/keys)");
}

void add_keys(CLI::App& app, KeyArguments& arguments) {
  add_folder(app, arguments);
  app.add_option("--passphrase-file", arguments.passphrase_file,
                 "its first line opens the key (else MAQUETTE_KEY_PASSPHRASE)");
}

}  // namespace

std::function<void()> mark(CLI::App& app) {
  struct Arguments {
    std::string file, out, parent;
    std::vector<std::string> components;
    app::MarkRequest request;
    KeyArguments keys;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("FILE", a->file, "picture, film, sound or any other file")->required();
  app.add_option("--out", a->out, "the marked file; may be FILE itself")->required();
  app.add_option(
      "--step", a->request.steps,
      "KIND[:TOOL], in order, instead of what the picture's recipe says: sampled, procedural, drawn or "
      "imported first, then resampled, inpainted, painted, upscaled, composited, graded, cropped, "
      "resized, converted");
  app.add_option("--parent", a->parent, "the file that it began as; its manifest is kept");
  app.add_option("--component", a->components, "a file that was placed in it");
  app.add_option("--provider", a->request.provider, "who answers for it: the studio's name");
  app.add_option("--prompt-writer", a->request.prompt_writer, "who wrote the prompt");
  app.add_flag("--withhold-prompt", a->request.withhold_prompt, "leave the prompt out of the metadata");
  app.add_flag("--reviewed", a->request.reviewed, "a person looked at it and approved it");
  app.add_flag("--allow-training", a->request.allow_training, "others may train on it and mine it");
  add_keys(app, a->keys);
  return [a] {
    a->request.file = a->file;
    a->request.out = a->out;
    a->request.parent = a->parent;
    a->request.components.assign(a->components.begin(), a->components.end());
    const std::string passphrase = app::key_passphrase(a->keys.passphrase_file);
    print_facts(app::mark_file(a->request, app::open_signer(app::keys_folder(a->keys.folder), passphrase)));
  };
}

std::function<void()> verify(CLI::App& app) {
  struct Arguments {
    std::string file, roots;
    KeyArguments keys;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("FILE", a->file, "any file")->required();
  app.add_option("--trust", a->roots,
                 "certificates of whom to trust (PEM); fail (exit code 4) on other signers");
  add_folder(app, a->keys);
  return [a] {
    const std::string roots = app::trusted_roots(a->roots, app::keys_folder(a->keys.folder));
    const app::Verification found = app::verify_file(a->file, roots, !a->roots.empty());
    print_facts(found.facts);
    if (found.verdict) throw *found.verdict;
  };
}

std::function<void()> keys_create(CLI::App& app) {
  struct Arguments {
    std::string organisation = "Maquette";
    int days = 365;
    KeyArguments keys;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("--organisation", a->organisation, "whose keys: the studio's name");
  app.add_option("--days", a->days, "how long they are valid")->check(CLI::Range(1, 3650));
  add_keys(app, a->keys);
  return [a] {
    const std::string passphrase = app::key_passphrase(a->keys.passphrase_file);
    print_facts(app::create_keys(app::keys_folder(a->keys.folder), a->organisation, a->days, passphrase));
  };
}

std::function<void()> keys_show(CLI::App& app) {
  auto a = std::make_shared<KeyArguments>();
  add_json_flag(app);
  add_folder(app, *a);
  return [a] { print_facts(app::show_keys(app::keys_folder(a->folder))); };
}

std::function<void()> keys_import(CLI::App& app) {
  struct Arguments {
    std::string chain, key, command;
    KeyArguments keys;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("--chain", a->chain, "certificates (PEM), the signing one first")->required();
  app.add_option("--key", a->key, "its private key (PEM), encrypted with the passphrase or not at all");
  app.add_option(
      "--command", a->command,
      "instead of a key: a program that reads bytes on its standard input and prints their signature");
  add_keys(app, a->keys);
  return [a] {
    const std::string passphrase = app::key_passphrase(a->keys.passphrase_file);
    print_facts(
        app::import_keys({app::keys_folder(a->keys.folder), a->chain, a->key, a->command}, passphrase));
  };
}

}  // namespace maquette::cli
