// Inside weights/: the names of Python functions and classes that a checkpoint's pickle may mention, and what
// each stands for. Nothing of Python is ever looked up or run: a name that is not in the table is refused.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/dtype.h"

namespace maquette::weights {

// What a global stands for when it is called.
enum class PickleRole : uint8_t {
  ordered_dict,
  parameter_dict,     // torch.nn.ParameterDict: becomes a dict of its parameters
  rebuild_tensor,     // (storage, offset, size, stride, ...)
  rebuild_tensor_v3,  // (storage, offset, size, stride, requires_grad, hooks, dtype, ...)
  rebuild_parameter,  // (tensor, ...)
  size,               // torch.Size(tuple)
  storage_type,
  element_type,
  dropped,   // its result, whatever it is, becomes one opaque value
  name_only  // may be mentioned (as the key of a dict), never called
};

struct PickleGlobal {
  std::string_view name;  // module and name, with a space between
  PickleRole role = PickleRole::name_only;
  DType type = DType::u8;
  bool untyped = false;
};

// Null for a name that is refused.
const PickleGlobal* find_pickle_global(std::string_view name);

}  // namespace maquette::weights
