#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> task_operations() { return {}; }

}  // namespace maquette::app
