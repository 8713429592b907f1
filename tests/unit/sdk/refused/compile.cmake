# cmake -DCOMPILE=… -DLOG=… -P compile.cmake
# Compiles all files with BROKEN defined, to the end; what the compiler says goes to LOG.
execute_process(COMMAND ${COMPILE} -DBROKEN ERROR_VARIABLE said)
file(WRITE ${LOG} "${said}")
if(NOT said MATCHES "begin: the end\n")
  message(FATAL_ERROR "the compiler did not come to the end:\n${said}")
endif()
