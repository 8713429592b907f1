#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "config/config.hpp"
#include "plugin/quarantine.hpp"

namespace weir {

/// What `weir serve` tells the worker process it starts: all of it goes over a descriptor, because
/// the database's URL may hold a password, which arguments and environment would show to others.
struct ServeOrders {
  pid_t parent = 0;
  Config config;
  std::string database;         ///< URL
  std::filesystem::path stage;  ///< the folder of private copies, which the parent owns
  std::vector<Quarantine::Record> quarantine = {};
  bool rescan = false;  ///< verdicts on plugins that are known are not believed
};

/// When a plugin that crashes is barred.
Quarantine::Limit quarantine_limit(const Config& config);

/// The orders in memory, to be inherited by the process that reads them. Errors: unavailable, kind
/// "out_of_descriptors".
Result<FileDescriptor> written(const ServeOrders& orders);

/// Errors: corrupt, kind "bad_orders".
Result<ServeOrders> read_orders(const FileDescriptor& memory);

/// The JSON between the two. The configuration goes as its text, so that one file that changes
/// meanwhile does not make two processes of one mind.
std::string to_text(const ServeOrders& orders);
Result<ServeOrders> parse_orders(std::string_view text);

}  // namespace weir
