// The operations of each noun; operation.cpp puts them into one table.
#pragma once

#include <vector>

#include "app/studio/operation.h"

namespace maquette::app {

std::vector<Operation> show_operations();
std::vector<Operation> entity_operations();
std::vector<Operation> task_operations();
std::vector<Operation> take_operations();
std::vector<Operation> file_operations();
std::vector<Operation> review_operations();
std::vector<Operation> job_operations();
std::vector<Operation> library_operations();
std::vector<Operation> people_operations();
std::vector<Operation> event_operations();
std::vector<Operation> exchange_operations();
std::vector<Operation> delivery_operations();
std::vector<Operation> register_operations();
std::vector<Operation> rights_operations();

}  // namespace maquette::app
