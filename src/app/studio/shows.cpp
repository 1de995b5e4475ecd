#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> show_operations() { return {}; }

}  // namespace maquette::app
