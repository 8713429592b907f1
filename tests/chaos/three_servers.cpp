#include "chaos/three_servers.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

namespace weir::testing {

ThreeServers::ThreeServers(const ServeConfig& config, const std::string& flow) {
  write_serve_config(folder_.path(), config);
  for (auto& server : servers_) server.emplace(folder_.path());
  await_workers();
  REQUIRE(eventually([&] { return client_.store().flow(flow, std::nullopt).has_value(); }));
}

void ThreeServers::restart(std::size_t which) {
  CHECK(WEXITSTATUS(servers_[which]->terminate()) == 0);
  servers_[which].emplace(folder_.path());
  await_workers();
}

void ThreeServers::terminate() {
  for (auto& server : servers_) {
    if (!server) continue;
    CHECK(WEXITSTATUS(server->terminate()) == 0);
    server.reset();
  }
}

void ThreeServers::await_workers() {
  REQUIRE(eventually([&] { return client_.store().workers_alive() == servers_.size(); }));
}

}  // namespace weir::testing
