# cmake -DSOURCE=… -DLOG=… -P expect.cmake
# SOURCE has to be refused in LOG with the words of its first line.
file(STRINGS ${SOURCE} first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${SOURCE} does not begin with \"// expect: …\"")
endif()
set(expected "${CMAKE_MATCH_1}")

# Its errors: from the line that says so to the one that says it of the next file.
cmake_path(GET SOURCE STEM name)
file(READ ${LOG} errors)
string(FIND "${errors}" "begin: ${name}\n" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "${SOURCE} was not compiled:\n${errors}")
endif()
string(SUBSTRING "${errors}" ${begin} -1 errors)
string(REGEX REPLACE "\n[^\n]*error: [^\n]*begin: .*" "\n" errors "${errors}")

if(NOT errors MATCHES "error: ")
  message(FATAL_ERROR "${SOURCE} compiles although it is broken")
endif()
if(NOT errors MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE} is refused, but not with \"${expected}\":\n${errors}")
endif()
