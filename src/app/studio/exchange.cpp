#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> exchange_operations() { return {}; }

}  // namespace maquette::app
