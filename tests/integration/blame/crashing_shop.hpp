#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include "integration/cli/shop.hpp"
#include "support/admin_session.hpp"

namespace weir::testing {

/// A shop that also has the plugin that crashes.
struct CrashingShop {
  explicit CrashingShop(const std::string& plugins = {}, const std::string& lines = {})
      : shop("database: \"" + database.url() + "\"\n"), admin(database.url()) {
    std::ofstream(shop.path() / "flows.yaml")
        << "database: \"" << database.url() << "\"\nworker: {lease: 5s}\n"
        << "plugins: {folders: [plugins]" << plugins << "}\n"
        << lines;
    namespace fs = std::filesystem;
    fs::copy_file(CRASHES, shop.path() / "plugins/crashes.so");
    fs::permissions(shop.path() / "plugins/crashes.so",
                    fs::perms::owner_read | fs::perms::owner_write);
    REQUIRE(shop.run({"migrate"}).code == 0);
  }

  Ran crash(const std::string& kind) const {
    return shop.run({"start", "crashes", "--input", '"' + kind + '"', "--wait"});
  }
  std::string value(const std::string& query) const { return admin.run(query).at(0); }
  std::string log() const { return text(shop.path() / "serve.log"); }
  bool logs(const std::string& words) const {
    return eventually([&] { return log().contains(words); });
  }
  Running serve() const { return shop.begin({"serve"}, "serve.log"); }
  bool is_serving() const { return logs("worker 1 serves 2 flows"); }

  TestDatabase database;
  Shop shop;
  mutable AdminSession admin;
};

}  // namespace weir::testing
