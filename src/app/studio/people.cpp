#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> people_operations() { return {}; }

}  // namespace maquette::app
