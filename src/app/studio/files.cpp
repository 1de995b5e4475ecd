#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> file_operations() { return {}; }

}  // namespace maquette::app
