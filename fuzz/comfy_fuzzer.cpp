// Any text is a graph of ComfyUI, or refused; what was read is a recipe that can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "media/comfy_prompt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto comfy = maquette::media::parse_comfy_prompt({reinterpret_cast<const char*>(data), size});
  if (!comfy) return 0;
  const auto again = maquette::recipe_from_json(maquette::to_json(comfy->recipe));
  if (!again || *again != comfy->recipe) std::abort();
  return 0;
}
