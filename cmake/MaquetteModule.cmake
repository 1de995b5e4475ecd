# One CMake target per folder of src/.
#
#   maquette_module(NAME [USES other folders...] [LINKS third-party targets...])
#
# takes every .cpp of the folder (and of its sub-folders); files ending in _test.cpp become the program
# NAME_test, files ending in _bench.cpp the program NAME_bench. USES mirrors the layering of ARCHITECTURE.md,
# and tools/check_includes refuses an include that it does not name.

if(MAQUETTE_SANITIZE)
  # Little optimisation, and lines for the reports only: instrumented code takes three times as long to compile.
  add_compile_options(-fsanitize=${MAQUETTE_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${MAQUETTE_SANITIZE})
endif()
find_program(MAQUETTE_CCACHE ccache)
if(MAQUETTE_CCACHE)
  # Paths relative to the checkout, so that every checkout on a machine shares one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${MAQUETTE_CCACHE})
endif()

# Designated initialisers leave members at their defaults on purpose: no warning about that. GCC 12 sees overlapping
# copies in short concatenations of texts where there are none (its bug 105651).
function(maquette_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -Wno-missing-field-initializers
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>)
endfunction()

function(maquette_module name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")

  add_library(maquette_${name} STATIC ${sources})
  maquette_flags(maquette_${name})
  set_property(GLOBAL APPEND PROPERTY MAQUETTE_MODULES maquette_${name})
  list(TRANSFORM ARG_USES PREPEND maquette_)
  target_link_libraries(maquette_${name} PUBLIC ${ARG_USES} ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})

  if(MAQUETTE_TESTS AND tests)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    maquette_flags(${name}_test)
    target_link_libraries(${name}_test PRIVATE maquette_${name} GTest::gtest GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE
      MAQUETTE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" MAQUETTE_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
  if(MAQUETTE_BENCH AND benches)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    maquette_flags(${name}_bench)
    target_link_libraries(${name}_bench PRIVATE maquette_${name} benchmark::benchmark)
  endif()
endfunction()
