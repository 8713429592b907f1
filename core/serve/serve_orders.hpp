#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "config/config.hpp"
#include "plugin/quarantine.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// What `weir serve` sends to the worker process that it starts. It is sent over a descriptor,
/// because the database's URL may have a password, which arguments and environment would show to
/// other users.
struct ServeOrders {
  pid_t parent = 0;
  Config config;
  std::string database;         ///< URL
  std::filesystem::path stage;  ///< the folder of private copies, which the parent owns
  std::vector<Quarantine::Record> quarantine = {};
  bool rescan = false;  ///< verdicts on plugins from earlier scans are not used
  /// What the process is for: a trial of these suspects and nothing else (F10).
  struct Trial {
    std::vector<WorkerId> of;            ///< the crashed workers that keep the suspects' runs
    std::vector<InFlightTask> suspects;  ///< what ran when their process crashed
  };
  std::optional<Trial> trial = {};
};

/// When a plugin that crashes is quarantined, and for how long.
Quarantine::Limit quarantine_limit(const Config& config);

/// Writes the orders to a file in memory, to be inherited by the process that reads them. Errors:
/// unavailable, kind "out_of_descriptors".
Result<FileDescriptor> write_orders(const ServeOrders& orders);

/// Errors: corrupt, kind "bad_orders".
Result<ServeOrders> read_orders(const FileDescriptor& memory);

/// The JSON that is sent. It has the text of the configuration, so that the two processes agree
/// even if the file changes in the meantime.
std::string to_text(const ServeOrders& orders);
Result<ServeOrders> parse_orders(std::string_view text);

}  // namespace weir
