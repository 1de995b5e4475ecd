#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> take_operations() { return {}; }

}  // namespace maquette::app
