#pragma once

namespace weir::cli {

struct Migrate {
  bool check = false;  ///< say what would be done, and do nothing
  bool print = false;  ///< the same as a script
  bool json = false;
};

}  // namespace weir::cli
