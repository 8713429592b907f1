#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/eventually.hpp"
#include "unit/isolated/plugin_rig.hpp"

TEST_SUITE_BEGIN("isolated: the life of the processes");

namespace {
namespace fs = std::filesystem;
using namespace weir;
using namespace std::chrono_literals;
using weir::testing::children;
using weir::testing::eventually;
using weir::testing::PluginRig;
using weir::testing::result_text;

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

bool mapped(std::string_view what) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.contains(what)) return true;
  return false;
}
}  // namespace

TEST_CASE("A plugin begins with one process and gets more while calls overlap") {
  PluginRig rig;
  CHECK(children().size() == 1);
  {
    std::vector<std::unique_ptr<PluginRig::Call>> calls;
    for (int i = 0; i < 6; ++i)
      calls.push_back(std::make_unique<PluginRig::Call>(rig, "until_cancelled"));
    CHECK(eventually([] { return children().size() == 4; }));
    for (const auto& call : calls) call->cancel();
    for (const auto& call : calls) call->result();
  }
  CHECK(children().size() == 4);
}

TEST_CASE("Processes with nothing to do end but for one") {
  auto options = weir::testing::isolated_options();
  options.idle_max = 50ms;
  PluginRig rig(weir::testing::deeds(), options);
  {
    PluginRig::Call one(rig, "until_cancelled"), two(rig, "until_cancelled");
    CHECK(eventually([] { return children().size() == 2; }));
    one.cancel();
    two.cancel();
  }
  CHECK(eventually([] { return children().size() == 1; }));
  CHECK(result_text(rig.run("echo")) == "completed: \"echo\"");
}

TEST_CASE("Nothing is left of an isolated plugin that was let go") {
  {
    PluginRig warm;
  }
  const std::size_t descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  {
    PluginRig rig(weir::testing::deeds(), weir::testing::isolated_options(), {.max_crashes = 100});
    for (const char* deed : {"echo", "segv", "resource", "large", "later"}) rig.run(deed);
    CHECK_FALSE(children().empty());
    CHECK_FALSE(mapped("deeds.so"));
  }
  CHECK(children().empty());
  CHECK(entries("/proc/self/fd") == descriptors);
  CHECK(entries("/proc/self/task") == threads);
  CHECK_FALSE(mapped("weir-call"));
}

TEST_CASE("The processes end with the last module and the host stays") {
  PluginRig rig;
  REQUIRE(children().size() == 1);
  rig.release_modules();
  CHECK(eventually([] { return children().empty(); }));
}

TEST_CASE("Processes end with a worker that is killed whatever their steps do") {
  for (const char* deed : {"hang", "hang_deaf"}) {
    CAPTURE(deed);
    int names[2];
    REQUIRE(::pipe(names) == 0);
    const pid_t worker = ::fork();
    if (worker == 0) {
      auto* const rig = new PluginRig;
      const pid_t child = children().front();
      new PluginRig::Call(*rig, deed);
      // It has begun once it is busy; how long that takes does not matter for what is asked.
      static_cast<void>(!::write(names[1], &child, sizeof child));
      for (;;) ::pause();
    }
    pid_t child = 0;
    REQUIRE(::read(names[0], &child, sizeof child) == sizeof child);
    ::close(names[0]);
    ::close(names[1]);
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
    CHECK(eventually([&] { return weir::testing::has_ended(child); }, std::chrono::seconds(10)));
  }
}

TEST_CASE("Calls from many threads share the processes") {
  PluginRig rig;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 200; ++n) {
        const std::string input = std::to_string(i * 1000 + n);
        right += result_text(rig.run(0, 0, input)) == "completed: " + input;
      }
    });
  for (auto& each : threads) each.join();
  CHECK(right == 1600);
  CHECK(children().size() <= 4);
}

TEST_SUITE_END();
