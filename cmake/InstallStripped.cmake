# Run by `cmake --install`: what was built with debug information is installed without it; the information goes to a
# folder .debug beside it, where gdb looks for it. Symbols stay: crash reports name functions by them.
# BUILT is a file of the build, FOLDER the one below the prefix that it was installed to.

function(_weir_debug_file objcopy built result)
  cmake_path(GET built PARENT_PATH folder)
  cmake_path(GET built FILENAME name)
  set(file ${folder}/${name}.debug)
  execute_process(COMMAND ${objcopy} --only-keep-debug --compress-debug-sections ${built} ${file}
    COMMAND_ERROR_IS_FATAL ANY)
  set(${result} ${file} PARENT_SCOPE)
endfunction()

function(weir_strip_installed objcopy built folder)
  _weir_debug_file(${objcopy} ${built} file)
  cmake_path(GET built FILENAME name)
  execute_process(
    COMMAND ${objcopy} --strip-debug --remove-section=.gnu_debuglink --add-gnu-debuglink=${file}
            $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${folder}/${name}
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(weir_install_debug_file objcopy built folder)
  _weir_debug_file(${objcopy} ${built} file)
  file(INSTALL ${file} DESTINATION ${CMAKE_INSTALL_PREFIX}/${folder}/.debug)
endfunction()
