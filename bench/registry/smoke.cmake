# cmake -DPROGRAMS=… -DFOLDER=… -P smoke.cmake: every benchmark of one size once, and whether the report makes
# JSON of it in which each goal is told.
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
execute_process(
  COMMAND ${PROGRAMS}/bench_registry --benchmark_min_time=0.0001 --benchmark_filter=-100000
          --benchmark_out=${FOLDER}/all.json --benchmark_out_format=json
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${PROGRAMS}/bench_registry_report ${FOLDER} --json ${FOLDER}/report.json
  OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)

file(READ ${FOLDER}/report.json report)
string(JSON rows LENGTH "${report}")
if(rows LESS 60)
  message(FATAL_ERROR "${rows} rows, and there are at least 60 things to tell")
endif()
math(EXPR last "${rows} - 1")
foreach(i RANGE ${last})
  foreach(member name value unit against ratio goal met)
    string(JSON ignored GET "${report}" ${i} ${member})  # an error where it is missing
  endforeach()
endforeach()
string(REPLACE "\n" ";" lines "${table}")
foreach(line IN LISTS lines)
  string(LENGTH "${line}" columns)
  if(columns GREATER 80 AND NOT line MATCHES "^not ")
    message(FATAL_ERROR "${columns} columns: ${line}")
  endif()
endforeach()
