#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> review_operations() { return {}; }

}  // namespace maquette::app
