#pragma once
#include <filesystem>

namespace weir::cli {

struct Init {
  std::filesystem::path folder = ".";
};

}  // namespace weir::cli
