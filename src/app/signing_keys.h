// The folder of what signs: a chain of certificates with its encrypted key, or with the program that signs
// for it.
//
//   chain.pem   the signing certificate, then those above it
//   root.pem    the last one: what others must trust
//   key.pem     its private key, encrypted          or
//   command     a line for the shell: gets the bytes on its standard input, prints the signature
#pragma once

#include <string>

#include "app/inspect.h"
#include "marks/sign.h"

namespace maquette::app {

// The folder that was given, else MAQUETTE_KEYS, else maquette/keys in the user's configuration folder.
std::filesystem::path keys_folder(const std::string& given);

// The first line of the file, else MAQUETTE_KEY_PASSPHRASE, else empty.
std::string key_passphrase(const std::string& file);

// A root and a signing certificate of it. Error(conflict) where the folder holds a chain already.
Facts create_keys(const std::filesystem::path& folder, const std::string& organisation, int days,
                  const std::string& passphrase);

Facts show_keys(const std::filesystem::path& folder);

struct ImportedKeys {
  std::filesystem::path folder;
  std::filesystem::path chain;
  std::filesystem::path key;  // PEM, encrypted with the same passphrase or not at all; or
  std::string command;        // what signs instead
};
// Error(bad_file) for chains that C2PA does not let sign, and keys of another certificate.
Facts import_keys(const ImportedKeys& keys, const std::string& passphrase);

// Throws Error(not_found) where the folder holds no chain.
marks::Signer open_signer(const std::filesystem::path& folder, const std::string& passphrase);

// The certificates to trust: those of the file, else those of the folder's root.pem, else empty.
std::string trusted_roots(const std::string& file, const std::filesystem::path& folder);

}  // namespace maquette::app
