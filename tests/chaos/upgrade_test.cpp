// A plugin replaced by its next version while three servers run it under load.
#include <optional>

#include <doctest/doctest.h>

#include "chaos/load.hpp"
#include "chaos/three_servers.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

class UpgradeUnderLoad {
 public:
  explicit UpgradeUnderLoad(const std::string& on_new_version) {
    install(PACED_1);
    servers_.emplace(
        ServeConfig{.database = database(),
                    .plugins = plugins_.path(),
                    .more = "flows: {paced: {on_new_version: " + on_new_version + "}}\n"},
        "paced");
  }

  // Returns how many runs were started in all.
  std::string run() {
    Load load("paced", Json::trusted(R"({"milliseconds": 60})"), std::chrono::milliseconds(20));
    const auto on_version = [](const char* version) {
      return std::stoi(
          query_value(std::string("select count(*) from weir.runs where version = ") + version));
    };
    REQUIRE(eventually([&] { return on_version("1") > 20; }));
    install(PACED_2);
    REQUIRE(eventually([&] { return on_version("2") > 20; }));
    const std::string started = std::to_string(load.stop());
    REQUIRE(eventually([] { return query_value("select count(*) from weir.open_run") == "0"; }));
    servers_->terminate();
    return started;
  }

 private:
  void install(const char* file) {  // as a package would: beside it, then renamed over it
    const std::filesystem::path place = plugins_.path() / "paced.so";
    std::filesystem::copy_file(file, place.string() + ".new",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(place.string() + ".new", place);
  }

  TemporaryFolder plugins_;
  std::optional<ThreeServers> servers_;  // once there is a plugin for them
};

// The version of the code that ran a run's last step stands in its output.
std::string runs_of_version(const char* version) {
  return query_value(std::string("select count(*) from weir.runs where status = 'completed' and "
                                 "version = ") +
                     version + " and (output ->> 'third')::int = version");
}

}  // namespace

TEST_SUITE_BEGIN("chaos: upgrades");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V2: under load every run ends with the code of the version it began with") {
  UpgradeUnderLoad upgrade("keep");
  const std::string started = upgrade.run();
  CHECK(std::to_string(std::stoi(runs_of_version("1")) + std::stoi(runs_of_version("2"))) ==
        started);
  CHECK(query_value("select count(*) from weir.attempts where outcome <> 'completed'") == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V3: under load open runs go on with the version that adopted them") {
  UpgradeUnderLoad upgrade("adopt");
  const std::string started = upgrade.run();
  CHECK(query_value("select count(*) from weir.runs where status = 'completed'") == started);
  CHECK(query_value("select count(*) from weir.attempts where outcome <> 'completed'") == "0");
  CHECK(query_value("select adopted_by from weir.versions where version = 1") == "2");
}

TEST_SUITE_END();
