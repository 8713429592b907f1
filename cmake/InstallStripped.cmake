# Run by `cmake --install`: what was built with debug information is installed without it; the information goes to a
# folder .debug beside it, where gdb looks for it. Symbols stay: crash reports name functions by them.
# `built` is a file of the build, `folder` the one below the prefix that it was installed to.
function(weir_strip_installed objcopy built folder)
  set(destination $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${folder})
  cmake_path(GET built FILENAME name)
  set(debug_file ${destination}/.debug/${name}.debug)
  file(MAKE_DIRECTORY ${destination}/.debug)
  execute_process(COMMAND ${objcopy} --only-keep-debug --compress-debug-sections ${built} ${debug_file}
    COMMAND_ERROR_IS_FATAL ANY)
  execute_process(
    COMMAND ${objcopy} --strip-debug --remove-section=.gnu_debuglink --add-gnu-debuglink=${debug_file}
            ${destination}/${name}
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()
