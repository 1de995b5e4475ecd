// Any text is either a recipe or refused; a recipe that was read comes back unchanged from its own JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "base/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const maquette::Result<maquette::Json> json = maquette::parse_json(text, "input");
  if (!json) return 0;
  const maquette::Result<maquette::Recipe> recipe = maquette::recipe_from_json(*json);
  if (!recipe) return 0;

  const maquette::Result<maquette::Recipe> again = maquette::recipe_from_json(maquette::to_json(*recipe));
  if (!again || !(*again == *recipe)) std::abort();
  return 0;
}
