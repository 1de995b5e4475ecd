# cmake --install: the program, the C++ library with its CMake package, the models that come with Maquette, documents
# and licences.
#
#   bin/maquette                     the program; it finds the models below by name (src/app/models_folder.h)
#   bin/maquette-verify-log          the checker of logs (docs/log.md)
#   include/maquette/maquette.h      the library's header
#   lib/libmaquette.so               the library
#   lib/cmake/maquette/              find_package(maquette) -> maquette::maquette, maquette_MODELS
#   share/maquette/models/           the starter model, and the upscaler where scripts/setup has fetched it
#   lib/maquette/libc2pa_c.so         signs files and reads their manifests, where scripts/setup has fetched it
#   share/doc/maquette/              licences, guides

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/maquette)
set(models_folder ${CMAKE_INSTALL_DATADIR}/maquette/models)

install(TARGETS maquette maquette-verify-log RUNTIME)
install(TARGETS maquette_library EXPORT maquetteTargets LIBRARY INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/maquette/maquette.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/maquette)

install(EXPORT maquetteTargets NAMESPACE maquette:: DESTINATION ${package_folder})
configure_package_config_file(cmake/maquetteConfig.cmake.in ${CMAKE_BINARY_DIR}/maquetteConfig.cmake
  INSTALL_DESTINATION ${package_folder} PATH_VARS models_folder NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/maquetteConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/maquetteConfig.cmake ${CMAKE_BINARY_DIR}/maquetteConfigVersion.cmake
  DESTINATION ${package_folder})

install(DIRECTORY models/starter DESTINATION ${models_folder} PATTERN how EXCLUDE)
install(FILES models/upscaler/LICENSE models/upscaler/MODEL_CARD.md DESTINATION ${models_folder}/upscaler)
install(FILES build/models/esrgan-thick-x4.safetensors DESTINATION ${models_folder}/upscaler OPTIONAL)

install(FILES build/c2pa/libc2pa_c.so DESTINATION ${CMAKE_INSTALL_LIBDIR}/maquette OPTIONAL)

install(FILES LICENSE DEPENDENCIES.md CHANGELOG.md README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES data/clip/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR}/clip)
install(FILES data/font/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR}/font)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs PATTERN decisions EXCLUDE)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
