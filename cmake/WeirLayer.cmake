# weir_layer(NAME SOURCES … [LINKS …]): one folder of core/ as a static library. The layers it may use
# come from core/layers.txt, so that the build and the layering test read the same truth.
file(STRINGS ${CMAKE_SOURCE_DIR}/core/layers.txt WEIR_LAYER_LINES REGEX "^[a-z]+:")
set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS core/layers.txt)

function(weir_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;LINKS" ${ARGN})
  add_library(weir_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(weir_${name} PUBLIC ${CMAKE_SOURCE_DIR}/core ${CMAKE_SOURCE_DIR}/core/include)
  target_link_libraries(weir_${name} PUBLIC weir_options ${LAYER_LINKS})
  foreach(line IN LISTS WEIR_LAYER_LINES)
    if(line MATCHES "^${name}: *(.*)$")
      string(REPLACE " " ";" below "${CMAKE_MATCH_1}")
      foreach(layer IN LISTS below)
        target_link_libraries(weir_${name} PUBLIC weir_${layer})
      endforeach()
    endif()
  endforeach()
endfunction()

# weir_test(NAME SOURCES … [LINKS …] [LABELS …]): a doctest program; every TEST_CASE becomes a ctest test.
function(weir_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${T_SOURCES} ${CMAKE_SOURCE_DIR}/tests/main.cpp)
  target_link_libraries(${name} PRIVATE weir_options doctest::doctest ${T_LINKS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE WEIR_SOURCE_DIR="${CMAKE_SOURCE_DIR}" WEIR_BUILD_DIR="${CMAKE_BINARY_DIR}")
  doctest_discover_tests(${name} TEST_PREFIX "${name}: " ADD_LABELS 1
    PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 " TIMEOUT 300 LABELS "${T_LABELS}")
endfunction()
