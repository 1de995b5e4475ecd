#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> entity_operations() { return {}; }

}  // namespace maquette::app
