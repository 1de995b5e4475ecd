#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> event_operations() { return {}; }

}  // namespace maquette::app
