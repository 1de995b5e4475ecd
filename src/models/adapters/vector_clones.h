// MAQUETTE_VECTOR_CLONES: compiles the function that follows for the vector units of today as well, chosen
// when the program starts. The sanitizers' runtimes are not ready when the choice is made: there it does
// nothing.
#pragma once

#ifdef __SANITIZE_ADDRESS__
#define MAQUETTE_VECTOR_CLONES
#elif defined __SANITIZE_THREAD__
#define MAQUETTE_VECTOR_CLONES
#elif defined __clang__
#define MAQUETTE_VECTOR_CLONES
#elif defined __x86_64__
#define MAQUETTE_VECTOR_CLONES __attribute__((target_clones("avx512f", "fma", "default")))
#else
#define MAQUETTE_VECTOR_CLONES
#endif
