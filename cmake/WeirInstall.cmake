# What `cmake --install` puts where. Components: program, sdk (headers and CMake package), plugins (examples).
include(CMakePackageConfigHelpers)

# weir_install_stripped(FOLDER COMPONENT BUILT): what COMPONENT installed from the file BUILT into FOLDER loses its debug
# information to FOLDER/.debug. A debug build is left as it is.
function(weir_install_stripped folder component built)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR NOT CMAKE_OBJCOPY)
    return()
  endif()
  install(CODE "include(\"${CMAKE_SOURCE_DIR}/cmake/InstallStripped.cmake\")
weir_strip_installed(\"${CMAKE_OBJCOPY}\" \"${built}\" ${folder})" COMPONENT ${component})
endfunction()

if(TARGET weir)
  install(TARGETS weir RUNTIME DESTINATION bin COMPONENT program)
  weir_install_stripped(bin program $<TARGET_FILE:weir>)
endif()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/core/include/weir DESTINATION include COMPONENT sdk
  FILES_MATCHING PATTERN *.h PATTERN *.hpp)
install(TARGETS weir_sdk weir_testing weir_flow_testing weir_client_library EXPORT WeirTargets
  LIBRARY DESTINATION lib COMPONENT sdk NAMELINK_COMPONENT sdk)
weir_install_stripped(lib sdk $<TARGET_FILE:weir_flow_testing>)
weir_install_stripped(lib sdk $<TARGET_FILE:weir_client_library>)
install(EXPORT WeirTargets NAMESPACE weir:: DESTINATION lib/cmake/Weir COMPONENT sdk)
configure_package_config_file(cmake/WeirConfig.cmake.in ${CMAKE_BINARY_DIR}/WeirConfig.cmake
  INSTALL_DESTINATION lib/cmake/Weir)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/WeirConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(
  FILES
    ${CMAKE_BINARY_DIR}/WeirConfig.cmake
    ${CMAKE_BINARY_DIR}/WeirConfigVersion.cmake
    ${CMAKE_SOURCE_DIR}/cmake/WeirPlugin.cmake
    ${CMAKE_SOURCE_DIR}/cmake/weir_plugin.map
  DESTINATION lib/cmake/Weir COMPONENT sdk)

foreach(plugin IN LISTS WEIR_EXAMPLE_PLUGINS)
  get_target_property(kind ${plugin} TYPE)
  if(kind STREQUAL "MODULE_LIBRARY")
    install(TARGETS ${plugin} LIBRARY DESTINATION lib/weir/plugins COMPONENT plugins)
    weir_install_stripped(lib/weir/plugins plugins $<TARGET_FILE:${plugin}>)
  else()  # of another language's compiler
    install(PROGRAMS ${CMAKE_BINARY_DIR}/plugins/${plugin}.so DESTINATION lib/weir/plugins COMPONENT plugins)
    weir_install_stripped(lib/weir/plugins plugins ${CMAKE_BINARY_DIR}/plugins/${plugin}.so)
  endif()
endforeach()
