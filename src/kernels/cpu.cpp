// Features by CPUID (Intel SDM volume 2A, leaf 7); the tile registers of AMX must also be asked for once per
// process (Linux Documentation/arch/x86/xstate.rst).
#include "kernels/cpu.h"

#include <cpuid.h>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace maquette::kernels {

namespace {

std::string brand() {
  char text[49] = {};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned part[4] = {};
    if (!__get_cpuid(0x80000002u + i, &part[0], &part[1], &part[2], &part[3])) return {};
    std::memcpy(text + 16 * i, part, 16);
  }
  return text;
}

bool may_use_tiles() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool has_amx_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const bool tiles = d >> 24 & 1u;
  const bool bf16 = d >> 22 & 1u;
  return tiles && bf16 && may_use_tiles();
}

Cpu look() {
  __builtin_cpu_init();
  Cpu found{.name = brand()};
  found.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  found.avx512_bf16 = found.avx512 && __builtin_cpu_supports("avx512bf16");
  found.amx_bf16 = found.avx512_bf16 && has_amx_bf16();
  return found;
}

}  // namespace

const Cpu& cpu() {
  static const Cpu found = look();
  return found;
}

std::string_view instruction_set() {
  if (cpu().amx_bf16) return "amx-bf16";
  if (cpu().avx512_bf16) return "avx512-bf16";
  return cpu().avx512 ? "avx512" : "generic";
}

}  // namespace maquette::kernels
