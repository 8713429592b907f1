#include "serve/plugin_watch.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <weir/supervisor.hpp>

#include "plugin/loader.hpp"
#include "plugin/plugin_board.hpp"
#include "support/eventually.hpp"
#include "support/log_lines.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/trusted_umask.hpp"

using namespace weir;
using weir::testing::eventually;
using weir::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

fs::path built(const char* variant) { return fs::path(BAD_PLUGINS) / variant; }

}  // namespace

TEST_SUITE("serve: plugin watch") {
  TEST_CASE("the watcher is a child whose start publishes and whose life follows the folder") {
    const TemporaryFolder folder;
    const fs::path plugins = folder.path() / "plugins";
    fs::create_directory(plugins);
    fs::copy_file(built("good.so"), plugins / "good.so");
    fs::copy_file(built("wrong_major.so"), plugins / "bad.so");

    const weir::testing::LogLines logged;
    const PluginLoader loader(StageDirectory::open(folder.path()).value());
    FlowRegistry registry;
    PluginBoard board;
    auto watcher =
        std::make_shared<PluginWatcher>(std::vector{plugins}, loader, registry, board,
                                        plugin_log(logged.log(), std::make_shared<FlowWorkers>()),
                                        PluginWatcher::Options{.rescan = 100ms, .quiet = 50ms});
    std::vector<ChildSpec> children;
    children.push_back(plugin_watch(std::move(watcher)));
    auto supervisor = Supervisor::start({.name = "test",
                                         .strategy = Strategy::one_for_one,
                                         .limit = {},
                                         .backoff = {},
                                         .template_spec = {},
                                         .names = {},
                                         .observer = {}},
                                        std::move(children));
    REQUIRE(supervisor);
    CHECK(registry.size() == 1);

    const fs::path next = folder.path() / "next";
    fs::copy_file(built("second_version.so"), next);
    fs::rename(next, plugins / "good.so");
    CHECK(eventually([&] {
      bool second = false;
      for (const PluginStatus& status : board.list()) second = second || status.version == "2.0";
      return second;
    }));
    fs::remove(plugins / "good.so");
    CHECK(eventually([&] { return registry.size() == 0; }));
    CHECK(eventually([&] { return board.list().size() == 1; }));

    (*supervisor)->request_stop();
    CHECK((*supervisor)->wait());
    const std::string path = (plugins / "good.so").string();
    const std::string log_text = logged.with_levels();
    CHECK(log_text.contains("info: flow good from " + path + "\n"));
    CHECK(log_text.contains("info: flow good: " + path + " (sha256 "));
    CHECK(log_text.contains(") takes over in this process\n"));
    CHECK(log_text.contains("info: flow good of " + path +
                            " is removed: runs in progress continue, others wait for it\n"));
    CHECK(log_text.contains("warning: " + (plugins / "bad.so").string() + ": abi_major: "));
  }
}
