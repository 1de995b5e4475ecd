#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> library_operations() { return {}; }

}  // namespace maquette::app
