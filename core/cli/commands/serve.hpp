#pragma once

namespace weir::cli {

struct Serve {
  bool rescan = false;  ///< verdicts of earlier scans are not used
};

}  // namespace weir::cli
