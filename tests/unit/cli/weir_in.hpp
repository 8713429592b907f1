#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "support/program.hpp"
#include "support/temporary_folder.hpp"

namespace weir::testing {

/// The example plugin of that name.
inline const std::string process_order =
    (std::filesystem::path(WEIR_PLUGIN_FOLDER) / "process_order.so").string();

/// Runs the program weir in a folder.
inline Ran weir_in(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
                   RunOptions options = {}) {
  options.folder = folder.path();
  return run_program(WEIR_PROGRAM, arguments, options);
}

}  // namespace weir::testing
