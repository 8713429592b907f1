# cmake -DBUILD=… -DPREFIX=… -P install.cmake
# Installs what users build against and run, and nothing that an earlier build left.
file(REMOVE_RECURSE ${PREFIX})
foreach(component program sdk)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} --component ${component}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
