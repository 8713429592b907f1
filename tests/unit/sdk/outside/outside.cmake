# cmake -DPREFIX=… -DSOURCE=… -DWORK=… -DGENERATOR=… -DC_COMPILER=… -DCXX_COMPILER=… -P outside.cmake
# Builds plugins against what is installed in PREFIX the way a user would: the project beside this file, and the
# examples, copied out of the tree.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# A target of the user's project that must not build, saying `words`.
function(refuse target words)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/outside/build --target ${target}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result EQUAL 0 OR NOT output MATCHES "${words}")
    message(FATAL_ERROR "${target} was built, or refused without \"${words}\":\n${output}")
  endif()
endfunction()

function(build folder)
  run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${folder} -B ${folder}/build -DCMAKE_PREFIX_PATH=${PREFIX}
      -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${CXX_COMPILER})
  run(${CMAKE_COMMAND} --build ${folder}/build)
endfunction()

# The plugin exports its definition alone and carries its note.
function(check_plugin file)
  run(nm -D --defined-only --format=just-symbols ${file})
  string(STRIP "${output}" symbols)
  if(NOT symbols STREQUAL "weir_plugin_v1")
    message(FATAL_ERROR "${file} exports:\n${symbols}")
  endif()
  run(readelf -nW ${file})
  if(NOT output MATCHES "\n  Weir +0x")
    message(FATAL_ERROR "${file} has no note of Weir's:\n${output}")
  endif()
endfunction()

function(check_text file text)
  file(READ ${file} bytes HEX)
  string(HEX "${text}" wanted)
  string(FIND "${bytes}" "${wanted}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${file} does not contain ${text}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
file(COPY ${CMAKE_CURRENT_LIST_DIR}/ DESTINATION ${WORK}/outside)
build(${WORK}/outside)
check_plugin(${WORK}/outside/build/outside.so)
check_text(${WORK}/outside/build/outside.so [[{"weir":1,"plugin":"outside","version":"2.1","flows":[{"module":"outside.Basket"]])
run(${WORK}/outside/build/registries)
refuse(unresolved "price")
refuse(refused_by_lint "bad_manifest")

foreach(example hello hello_c)
  file(COPY ${SOURCE}/plugins/${example} DESTINATION ${WORK})
  build(${WORK}/${example})
  check_plugin(${WORK}/${example}/build/${example}.so)
endforeach()
