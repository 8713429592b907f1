# cmake -DCOMPILE=… -DLOG=… -P compile.cmake
# Compiles all files with BROKEN defined, to the end; what the compiler says goes to LOG.
set(ENV{LC_ALL} C)  # errors are told by the word
execute_process(COMMAND ${COMPILE} -DBROKEN RESULT_VARIABLE result ERROR_VARIABLE errors)
string(RANDOM unfinished)  # another run of the tests may be reading what is there
file(WRITE ${LOG}.${unfinished} "${errors}")
file(RENAME ${LOG}.${unfinished} ${LOG})
if(result EQUAL 0 OR NOT errors MATCHES "begin: the end\n")
  message(FATAL_ERROR "the compiler did not come to the end:\n${errors}")
endif()
