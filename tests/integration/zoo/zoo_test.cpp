// Everything bad at once, in one folder with 20 good plugins, served by one `weir serve`, in
// process and isolated.
#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <signal.h>

#include "integration/zoo/served_zoo.hpp"
#include "support/eventually.hpp"

using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

/// What each flow that misbehaves must end its attempts with; the code may differ by where it runs.
struct Act {
  std::string flow;
  std::string in_process;
  std::string isolated;
};
const std::vector<Act> acts = {
    {"throw_int", "exception", "exception"},
    {"segv", "worker_crashed", "worker_crashed"},
    {"aborts", "worker_crashed", "worker_crashed"},
    {"exits", "worker_crashed", "worker_crashed"},
    {"hang", "timed_out", "timed_out"},
    {"no_output", "no_output", "no_output"},
    {"two_outputs", "two_outputs", "two_outputs"},
    {"bad_utf8", "bad_output", "bad_output"},
    {"bad_json", "bad_output", "bad_output"},
    {"huge", "output_too_large", "output_too_large"},
};

std::size_t descriptors_of(const std::set<pid_t>& processes) {
  std::size_t count = 0;
  std::error_code gone;
  for (const pid_t process : processes)
    for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", process), gone), end; entry != end;
         entry.increment(gone))
      ++count;
  return count;
}

void serve_the_zoo(bool isolated) {
  ServedZoo served(isolated);
  INFO("log:\n", served.log());

  // Each file is reported with exactly its kind.
  const bool reported =
      eventually([&] { return served.shown().size() >= served.zoo.expected().size(); });
  INFO("log:\n", served.log());
  REQUIRE(reported);
  for (const auto& [path, kind] : served.zoo.expected()) {
    const auto shown = served.shown();
    const auto found = shown.find(path);
    INFO(path);
    CHECK((found == shown.end() ? "nothing at all" : found->second) == kind);
  }

  // 20 good flows complete while every bad one does its worst.
  std::vector<std::pair<std::string, const Act*>> bad;
  for (const Act& act : acts) bad.emplace_back(served.start(act.flow), &act);
  std::vector<std::string> good;
  for (int round = 0; round < 5; ++round)
    for (const std::string& flow : Zoo::good()) good.push_back(served.start(flow));
  for (const std::string& run : good) {
    CHECK(served.ends(run));
    CHECK(served.status(run) == "completed");
  }
  for (const auto& [run, act] : bad) {
    INFO(act->flow);
    CHECK(served.ends(run));
    CHECK(served.status(run) == "failed");
    CHECK(served.last_code(run) == (isolated ? act->isolated : act->in_process));
  }

  // Case 31: overwritten in place, it goes on as it was.
  const fs::path overwritten = served.zoo.plugins() / "overwritten.so";
  {
    const std::string rubbish(fs::file_size(overwritten), 'x');
    std::fstream(overwritten, std::ios::in | std::ios::out | std::ios::binary) << rubbish;
  }
  CHECK(eventually([&] { return served.shown()[overwritten.string()] == "not_elf"; }));
  const std::string after = served.start("overwritten");
  CHECK(served.ends(after));
  CHECK(served.output(after) == "overwritten 1");

  // Cases 32 and 34: another file renamed over it is the next version, with static state of its
  // own.
  for (int i = 0; i < 3; ++i) {
    const std::string run = served.start("counts");
    CHECK(served.ends(run));
    CHECK(served.output(run).starts_with("1"));
  }
  served.zoo.put_actor("counts_2", "counts");
  CHECK(eventually([&] {
    const std::string run = served.start("counts");
    return served.ends(run) && served.output(run).starts_with("2");
  }));

  // Case 33: written slowly, it is never half loaded.
  const fs::path slow = served.zoo.plugins() / "slow.so";
  {
    const std::string whole = bytes_of(fs::path(WEIR_ACTORS) / "slow.so");
    std::ofstream out(slow, std::ios::binary);
    for (std::size_t at = 0; at < whole.size(); at += whole.size() / 8 + 1) {
      out << whole.substr(at, whole.size() / 8 + 1) << std::flush;
      CHECK(served.shown().count(slow.string()) == 0);
    }
  }
  fs::permissions(slow, fs::perms{0644});
  CHECK(eventually([&] {
    auto all = served.shown();
    return all.contains(slow.string()) && all[slow.string()].empty();
  }));
  const std::string slowly = served.start("slow");
  CHECK(served.ends(slowly));
  CHECK(served.output(slowly) == "slow 1");

  // Case 35: it is replaced, but its code stays mapped, which is reported; in a process of its own it
  // goes with that.
  served.zoo.put_actor("nodelete_2", "nodelete");
  const auto pinned = [&] {
    return served.admin().run("select 1 from weir.plugins where state = 'unload_pinned'").size() ==
           1;
  };
  if (!isolated) CHECK(eventually(pinned));
  CHECK(eventually([&] {
    const std::string run = served.start("nodelete");
    return served.ends(run) && served.output(run) == "nodelete 2";
  }));

  // Nothing that is not live is mapped, and nothing grows.
  const auto strangers = [&] {
    std::set<std::string> live;
    for (const std::string& sha256 :
         served.admin().run("select sha256 from weir.plugins where state <> 'refused'"))
      live.insert(sha256);
    std::vector<std::string> all;
    std::ranges::set_difference(staged_copies_of(served.processes()), live,
                                std::back_inserter(all));
    return all;
  };
  CHECK(eventually([&] { return strangers().empty(); }));
  const auto processes = served.processes();
  const std::size_t descriptors = descriptors_of(processes);
  for (const std::string& flow : Zoo::good()) CHECK(served.ends(served.start(flow)));
  if (!isolated) {
    CHECK(served.processes() == processes);
    CHECK(eventually([&] { return descriptors_of(served.processes()) <= descriptors; }));
  }

  served.serve->signal(SIGTERM);
  CHECK(served.serve->wait() == 0);
  CHECK(eventually([&] { return served.processes().empty(); }));
  INFO("log:\n", served.log());
}

}  // namespace

TEST_SUITE_BEGIN("zoo");

TEST_CASE("41 bad plugins beside 20 good ones: each gets its own error and the host lives") {
  serve_the_zoo(false);
}

TEST_CASE(
    "41 bad plugins beside 20 good ones isolated: each gets its own error and the host lives") {
  serve_the_zoo(true);
}

TEST_SUITE_END();
