#include "weights/pickle_globals.h"

#include <array>
#include <string>

namespace maquette::weights {

namespace {

using Role = PickleRole;

constexpr std::array kGlobals = std::to_array<PickleGlobal>({
    {"collections OrderedDict", Role::ordered_dict},
    {"torch._utils _rebuild_tensor", Role::rebuild_tensor},
    {"torch._utils _rebuild_tensor_v2", Role::rebuild_tensor},
    {"torch._utils _rebuild_tensor_v3", Role::rebuild_tensor_v3},
    {"torch._utils _rebuild_parameter", Role::rebuild_parameter},
    {"torch._utils _rebuild_parameter_with_state", Role::rebuild_parameter},
    {"torch.nn.modules.container ParameterDict", Role::parameter_dict},
    {"torch Size", Role::size},
    {"torch device", Role::dropped},
    {"torch FloatStorage", Role::storage_type, DType::f32},
    {"torch HalfStorage", Role::storage_type, DType::f16},
    {"torch BFloat16Storage", Role::storage_type, DType::bf16},
    {"torch DoubleStorage", Role::storage_type, DType::f64},
    {"torch LongStorage", Role::storage_type, DType::i64},
    {"torch IntStorage", Role::storage_type, DType::i32},
    {"torch ShortStorage", Role::storage_type, DType::i16},
    {"torch CharStorage", Role::storage_type, DType::i8},
    {"torch ByteStorage", Role::storage_type, DType::u8},
    {"torch BoolStorage", Role::storage_type, DType::boolean},
    {"torch UntypedStorage", Role::storage_type, DType::u8, true},
    {"torch.storage UntypedStorage", Role::storage_type, DType::u8, true},
    {"torch float32", Role::element_type, DType::f32},
    {"torch float16", Role::element_type, DType::f16},
    {"torch bfloat16", Role::element_type, DType::bf16},
    {"torch float64", Role::element_type, DType::f64},
    {"torch float8_e4m3fn", Role::element_type, DType::f8_e4m3},
    {"torch float8_e5m2", Role::element_type, DType::f8_e5m2},
    {"torch int64", Role::element_type, DType::i64},
    {"torch int32", Role::element_type, DType::i32},
    {"torch int16", Role::element_type, DType::i16},
    {"torch int8", Role::element_type, DType::i8},
    {"torch uint8", Role::element_type, DType::u8},
    {"torch bool", Role::element_type, DType::boolean},
    // Scalars that training programs left beside the weights.
    {"numpy dtype", Role::dropped},
    {"numpy ndarray", Role::name_only},
    {"numpy.core.multiarray scalar", Role::dropped},
    {"numpy.core.multiarray _reconstruct", Role::dropped},
    {"numpy._core.multiarray scalar", Role::dropped},
    {"numpy._core.multiarray _reconstruct", Role::dropped},
    {"_codecs encode", Role::dropped},
    {"builtins set", Role::dropped},
    {"__builtin__ set", Role::dropped},
    // The key of one entry in the first published Stable Diffusion checkpoints.
    {"pytorch_lightning.callbacks.model_checkpoint ModelCheckpoint", Role::name_only},
});

}  // namespace

const PickleGlobal* find_pickle_global(std::string_view name) {
  for (const PickleGlobal& global : kGlobals) {
    if (global.name == name) return &global;
  }
  // Older PyTorch wrote the device's own storage classes.
  constexpr std::string_view kCuda = "torch.cuda ";
  if (name.starts_with(kCuda) && name.ends_with("Storage")) {
    return find_pickle_global("torch " + std::string(name.substr(kCuda.size())));
  }
  return nullptr;
}

}  // namespace maquette::weights
