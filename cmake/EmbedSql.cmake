# embed_sql(OUTPUT): writes a C++ file that holds schemas/{migrations,functions,views,roles}/*.sql as strings,
# each list in the order of the file names.
function(embed_sql output)
  set(WEIR_EMBEDDED "")
  foreach(kind migrations functions views roles)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schemas/${kind}/*.sql)
    list(SORT files)
    string(APPEND WEIR_EMBEDDED "const std::vector<SqlFile>& ${kind}() {\n  static const std::vector<SqlFile> files = {\n")
    foreach(path IN LISTS files)
      set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
      file(READ ${path} text)
      get_filename_component(name ${path} NAME_WE)
      string(APPEND WEIR_EMBEDDED "      {\"${name}\", R\"weirsql(${text})weirsql\"},\n")
    endforeach()
    string(APPEND WEIR_EMBEDDED "  };\n  return files;\n}\n\n")
  endforeach()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT [[
// Made from schemas/ by cmake/EmbedSql.cmake.
#include "store/postgres/schema_files.hpp"

namespace weir::postgres {

@WEIR_EMBEDDED@}  // namespace weir::postgres
]])
endfunction()
