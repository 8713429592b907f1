# embed_sql(OUTPUT): writes a C++ file that holds the .sql files of schemas/{migrations,functions,views,roles}, at
# any depth, as strings. Each list is in the order of the base names, which are unique: it depends neither on the
# subfolder of a file nor on the folder that the project is in.
function(embed_sql output)
  set(WEIR_EMBEDDED "")
  foreach(kind migrations functions views roles)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schemas/${kind}/*.sql)
    list(SORT files COMPARE FILE_BASENAME)
    set(names "")
    string(APPEND WEIR_EMBEDDED "const std::vector<SqlFile>& ${kind}() {\n  static const std::vector<SqlFile> files = {\n")
    foreach(path IN LISTS files)
      set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
      file(READ ${path} text)
      get_filename_component(name ${path} NAME_WE)
      if(name IN_LIST names)
        message(FATAL_ERROR "schemas/${kind} has two files named ${name}.sql; the second one is ${path}")
      endif()
      list(APPEND names ${name})
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
