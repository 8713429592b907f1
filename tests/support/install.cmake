# cmake -DBUILD=… -DPREFIX=… -P install.cmake
# Installs what users build against and run, and removes files that an earlier build left. Unchanged files are not
# touched: another run of the tests may be using them.
set(installed "")
foreach(component program sdk)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} --component ${component}
    COMMAND_ERROR_IS_FATAL ANY)
  file(STRINGS ${BUILD}/install_manifest_${component}.txt files)
  list(APPEND installed ${files})
endforeach()
file(GLOB_RECURSE present ${PREFIX}/*)
list(FILTER present EXCLUDE REGEX "/\\.debug/")
list(REMOVE_ITEM present ${installed})
if(present)
  file(REMOVE ${present})
endif()
