#include "app/picture_record.h"

#include "kernels/choice.h"
#include "kernels/cpu.h"

namespace maquette::app {

std::string version() { return "maquette " MAQUETTE_VERSION; }

Json record_of(const Recipe& recipe) {
  Json environment{{"version", version()}, {"instruction_set", kernels::instruction_set()}};
  const std::string kernels = kernels::choice_table().hash();
  if (!kernels.empty()) environment["kernels"] = kernels;
  return {{"recipe", to_json(recipe)}, {"environment", environment}};
}

std::optional<std::string> kernels_of_record(const Json& record) {
  if (!record.is_object() || !record.contains("environment")) return {};
  const Json& environment = record["environment"];
  if (!environment.is_object()) return {};
  const auto found = environment.find("kernels");
  return found != environment.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Recipe> recipe_of_record(const Json& record) {
  return recipe_from_json(record.is_object() && record.contains("recipe") ? record["recipe"] : record);
}

media::PictureMetadata metadata_of(const Recipe& recipe, const PictureFacts& facts) {
  return {.parameters = media::write_a1111_parameters(parameters_of(recipe, facts)),
          .recipe_json = record_of(recipe).dump()};
}

}  // namespace maquette::app
