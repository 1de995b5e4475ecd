#include "app/picture_record.h"

#include "kernels/cpu.h"
#include "kernels/exec.h"

namespace maquette::app {

namespace {

std::string instruction_set() {
  const kernels::Cpu& cpu = kernels::cpu();
  if (cpu.amx_bf16) return "amx-bf16";
  if (cpu.avx512_bf16) return "avx512-bf16";
  return cpu.avx512 ? "avx512" : "generic";
}

}  // namespace

std::string version() { return "maquette " MAQUETTE_VERSION; }

Json record_of(const Recipe& recipe) {
  return {{"recipe", to_json(recipe)},
          {"environment", {{"version", version()}, {"instruction_set", instruction_set()}}}};
}

Result<Recipe> recipe_of_record(const Json& record) {
  return recipe_from_json(record.is_object() && record.contains("recipe") ? record["recipe"] : record);
}

media::PictureMetadata metadata_of(const Recipe& recipe, const PictureFacts& facts) {
  return {.parameters = media::write_a1111_parameters(parameters_of(recipe, facts)),
          .recipe_json = record_of(recipe).dump()};
}

}  // namespace maquette::app
