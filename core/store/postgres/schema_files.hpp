#pragma once
#include <string>
#include <vector>

namespace weir::postgres {

/// A file of schemas/, embedded in the program.
struct SqlFile {
  std::string name;  ///< without its ending: "0001_runs"
  std::string text;
};

const std::vector<SqlFile>& migrations();  ///< numbered 1, 2, 3 … by their order
const std::vector<SqlFile>& functions();
const std::vector<SqlFile>& views();
const std::vector<SqlFile>& roles();  ///< who may do what: applied after all else

}  // namespace weir::postgres
