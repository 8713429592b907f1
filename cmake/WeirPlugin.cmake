# weir_add_plugin(NAME SOURCES … [LINKS …] [VERSION …]): NAME.so, which Weir loads from a plugin folder.
#
#     find_package(Weir REQUIRED)
#     weir_add_plugin(order_totals SOURCES order_totals.cpp)
#
# NAME becomes the plugin's name, VERSION (else the project's) its version. The file goes to
# WEIR_PLUGIN_OUTPUT_DIRECTORY when that is set, else where the project's libraries go. Where the program
# `weir` is known, `weir plugins lint` checks every plugin as it is built.

function(weir_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 PLUGIN "" "VERSION" "SOURCES;LINKS")
  if(NOT PLUGIN_SOURCES OR PLUGIN_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "weir_add_plugin(${name}): expected SOURCES … [LINKS …] [VERSION …], "
                        "got \"${ARGN}\"")
  endif()
  if(NOT DEFINED PLUGIN_VERSION)
    set(PLUGIN_VERSION "${PROJECT_VERSION}")
  endif()

  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/weir_plugin.map)
  add_library(${name} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(${name} PRIVATE weir::sdk ${PLUGIN_LINKS})
  target_compile_definitions(${name} PRIVATE
    WEIR_PLUGIN_NAME="${name}" WEIR_PLUGIN_VERSION="${PLUGIN_VERSION}")
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX .so
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${map})
  if(WEIR_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${WEIR_PLUGIN_OUTPUT_DIRECTORY})
  endif()

  # A unique symbol would be shared by two versions of a plugin and keep the old one from being unloaded.
  # And a flow may have 1024 steps, which are checked while compiling.
  target_compile_options(${name} PRIVATE
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique;-fconstexpr-ops-limit=500000000>"
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fconstexpr-steps=500000000>)
  target_link_options(${name} PRIVATE
    -Wl,--version-script=${map} -Wl,-z,now -Wl,--as-needed -Wl,--build-id)
  weir_plugin_is_sanitized(sanitized)
  if(NOT sanitized)  # its runtime is in the program, not in the plugin
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()

  weir_plugin_linter(program)
  if(program)
    add_custom_command(TARGET ${name} POST_BUILD
      COMMAND ${program} plugins lint --content-only $<TARGET_FILE:${name}>
      COMMENT "Checking plugin ${name}" VERBATIM)
  endif()
endfunction()

# weir_add_rust_plugin(NAME SOURCE file.rs): the same from Rust, by rustc alone. Every .rs file beside the
# source is taken for a part of it.
function(weir_add_rust_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 PLUGIN "" "SOURCE" "")
  if(NOT PLUGIN_SOURCE OR PLUGIN_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "weir_add_rust_plugin(${name}): expected SOURCE file.rs, got \"${ARGN}\"")
  endif()
  find_program(WEIR_RUSTC rustc HINTS ENV CARGO_HOME PATHS ~/.cargo/bin PATH_SUFFIXES bin
    DOC "Compiles plugins in Rust")
  if(NOT WEIR_RUSTC)
    message(FATAL_ERROR "weir_add_rust_plugin(${name}): no rustc was found; name it with -DWEIR_RUSTC=…")
  endif()

  cmake_path(ABSOLUTE_PATH PLUGIN_SOURCE OUTPUT_VARIABLE source)
  cmake_path(GET source PARENT_PATH folder)
  file(GLOB parts CONFIGURE_DEPENDS ${folder}/*.rs)
  set(output ${WEIR_PLUGIN_OUTPUT_DIRECTORY})
  if(NOT output)
    set(output ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  weir_plugin_linter(program)
  set(lint "")
  if(program)
    set(lint COMMAND ${program} plugins lint --content-only ${output}/${name}.so)
  endif()
  add_custom_command(OUTPUT ${output}/${name}.so
    COMMAND ${CMAKE_COMMAND} -E make_directory ${output}
    COMMAND ${WEIR_RUSTC} --edition 2021 --crate-name plugin --crate-type cdylib -C opt-level=2
            -C link-arg=-Wl,-z,now -C link-arg=-Wl,--build-id -o ${output}/${name}.so ${source}
    ${lint}
    DEPENDS ${parts} COMMENT "Building plugin ${name}" VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${output}/${name}.so)
endfunction()

# The program that lints what is built; nothing where it is not known.
function(weir_plugin_linter result)
  if(TARGET weir)  # in Weir's own tree
    set(${result} $<TARGET_FILE:weir> PARENT_SCOPE)
  else()
    set(${result} ${WEIR_PROGRAM} PARENT_SCOPE)
  endif()
endfunction()

# Whether what is added here is built with a sanitizer.
function(weir_plugin_is_sanitized result)
  get_directory_property(options COMPILE_OPTIONS)
  string(JOIN " " flags "${options}" "${CMAKE_CXX_FLAGS}" "${CMAKE_C_FLAGS}")
  string(FIND "${flags}" "-fsanitize=" found)
  if(found EQUAL -1)
    set(${result} FALSE PARENT_SCOPE)
  else()
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()
