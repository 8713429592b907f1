# cmake -DENGINE=… -DFLOOR=… -DGROWTH=… -DPLOTS=… -DFOLDER=… -P smoke.cmake: tiny rounds of script/bench engine and
# growth, and whether their tables fit, their JSON holds what was measured, and it can be drawn. Nothing is timed.
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
execute_process(
  COMMAND ${ENGINE} --folder ${FOLDER}/database --floor ${FLOOR} --rounds 1 --runs 100 --samples 10
          --json ${FOLDER}/engine.json
  OUTPUT_VARIABLE engine_table ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${GROWTH} --folder ${FOLDER}/database --rounds 1 --runs 100 --history 50 --parked 20 --versions 3 --large 2
          --json ${FOLDER}/growth.json
  OUTPUT_VARIABLE growth_table ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${PLOTS} ${FOLDER}/plots ${FOLDER}/engine.json ${FOLDER}/growth.json
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

# expect(FILE ROWS MEMBER…): so many rows behind the machine, each with these members and with figures.
function(expect file rows)
  file(READ ${FOLDER}/${file} report)
  string(JSON found LENGTH "${report}")
  math(EXPR expected "${rows} + 1")
  if(NOT found EQUAL expected)
    message(FATAL_ERROR "${file}: ${found} rows instead of ${expected}")
  endif()
  foreach(i RANGE 1 ${rows})
    foreach(member IN LISTS ARGN ITEMS median rounds)
      string(JSON ignored GET "${report}" ${i} ${member})  # an error where it is missing
    endforeach()
    string(JSON figures LENGTH "${report}" ${i} median)
    if(figures EQUAL 0)
      message(FATAL_ERROR "${file}: row ${i} has no figures")
    endif()
  endforeach()
endfunction()
expect(engine.json 11 work side unit ratio left_out)  # 7 works of Weir, 4 of the floor
expect(growth.json 17 table case)

foreach(file throughput.svg latency.svg history.svg tables.md)
  if(NOT EXISTS ${FOLDER}/plots/${file})
    message(FATAL_ERROR "${file} was not written")
  endif()
endforeach()
string(REPLACE ";" "," tables "${engine_table}${growth_table}")
string(REPLACE "\n" ";" lines "${tables}")
foreach(line IN LISTS lines)
  string(LENGTH "${line}" columns)
  if(columns GREATER 80 AND NOT line MATCHES " cores, ")  # names of processors may be long
    message(FATAL_ERROR "${columns} columns: ${line}")
  endif()
endforeach()
