#include "app/studio/operations.h"

namespace maquette::app {

std::vector<Operation> job_operations() { return {}; }

}  // namespace maquette::app
