// The library: the models and adapters that this machine has, with what each is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maquette::app {

struct LibraryModel {
  std::string name;    // "starter", "upscaler/esrgan-thick-x4": what recipes and model limits say
  std::string path;    // of the file or folder
  std::string family;  // "sd1", "sdxl-base", ...; "unknown"
  std::string kind;    // checkpoint, lora, upscaler, controlnet, vae, textual_inversion, ...
  uint64_t bytes = 0;
};

// What lies in the models folders (app/models_folder.h), by name. Files are looked into once, and again when
// they change; those that cannot be read are left out, with a line in the log.
std::vector<LibraryModel> library_models();

}  // namespace maquette::app
