#pragma once
#include <filesystem>
#include <string>

#include "bench/engine/work.hpp"

namespace weir::bench {

/// How much of each work the peers do.
struct PeerWork {
  std::size_t runs = 0;     ///< of those that drain thousands a second
  std::size_t samples = 0;  ///< of latencies
};

/// Adds the peers as further sides to the works that they can do. `folder` has their packages and
/// drivers (bench/peers); `url` is of the server, where each has a database of its own.
void add_peers(std::vector<Work>& works, const std::filesystem::path& folder,
               const std::string& url, const PeerWork& size);

}  // namespace weir::bench
