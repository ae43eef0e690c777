# Headers, package config and pkg-config file. All of it is the same for every architecture, so it goes under share/.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/edge)
install(TARGETS edge EXPORT edge-targets FILE_SET HEADERS)
install(EXPORT edge-targets NAMESPACE edge:: DESTINATION ${_package_dir})

configure_package_config_file(cmake/edge-config.cmake.in edge-config.cmake INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(edge-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_file(cmake/edge.pc.in edge.pc @ONLY)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/edge-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/edge-config-version.cmake
  cmake/EdgeDependencies.cmake
  DESTINATION ${_package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/edge.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/edge)
