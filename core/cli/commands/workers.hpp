#pragma once
#include <cstdint>

namespace weir::cli {

struct WorkersList {
  std::int64_t limit = 20;
  bool json = false;
};

}  // namespace weir::cli
