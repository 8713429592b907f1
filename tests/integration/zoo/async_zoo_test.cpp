// Every misuse of deferred calls at once, beside 20 good plugins, served by one `weir serve`.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>

#include "integration/zoo/served_zoo.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"

using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

/// What an actor of async_actor.c must come to: its attempt's outcome, and the lines of NAME.told in
/// any order.
struct Misuse {
  std::string act;
  std::string code;  ///< "" when the run completes
  std::vector<std::string> told;
  std::string logged;  ///< part of a line of the log; "": none
};

// A negative answer of the host is 3, WEIR_CANCELLED, from functions of extensions, and 1 from others.
const std::vector<std::string> refused_in_all = {
    "output=1", "fail=1", "cancelled=1", "get=0", "settlement=3", "acquire=3", "on_stop=3"};

std::vector<std::string> times(std::size_t count, const std::vector<std::string>& lines,
                               std::vector<std::string> others = {}) {
  for (std::size_t i = 0; i < count; ++i) others.insert(others.end(), lines.begin(), lines.end());
  return others;
}

const std::vector<Misuse> misuses = {
    {"twice",
     "",
     {"complete=0", "refused=10000"},
     " (attempt 1) completes after its deferred call was completed: that is refused"},
    {"at_once", "", {"complete=0", "complete=3"}, " completes "},
    {"after", "", refused_in_all,
     " (attempt 1) logs after its deferred call was completed: that is refused"},
    {"detached", "", {}, ""},
    {"hands_over", "", {}, ""},
    {"inside", "", {"complete=0"}, ""},
    {"returns_else",
     "bad_return",
     {"complete=0"},
     "the step deferred its call and then returned 0"},
    {"returns_first",
     "bad_return",
     {"output=1", "complete=3"},
     ": it completes its deferred call too late"},
    {"defers_twice",
     "bad_return",
     {"defer=0", "defer_deferred=0", "complete=0"},
     "the step deferred its call and then returned 0"},
    {"pends", "bad_return", {}, "the step returned 4, which the plugin ABI does not define"},
    {"as_before", "", {"complete=3", "on_stop=3", "cancelled=0", "output=0", "completes=0"}, ""},
    {"leaves", "", {}, ""},
    {"garbage", "", times(4, refused_in_all, {"refused=4"}), ""},
    {"never",
     "timed_out",
     {},
     "ignores that it was told to stop and has not completed its deferred call"},
    {"stop_completes", "timed_out", {"complete=0"}, ""},
    {"stop_enters", "timed_out", {}, "has not completed its deferred call"},
    {"stop_throws", "timed_out", {}, ": what it has called when it stops has thrown"},
};

// What never says that it is over.
bool is_silent(const std::string& act) {
  return act == "pends" || act == "stop_enters" || act == "stop_throws";
}

class AsyncZoo : public ServedZoo {
 public:
  explicit AsyncZoo(const std::vector<std::string>& actors) : ServedZoo(actors) {
    const bool serves = eventually([&] {
      const std::string count =
          admin().run("select count(*) from weir.versions where workers > 0").at(0);
      return std::stoul(count) >= Zoo::good().size() + actors.size();
    });
    INFO("log:\n", log());
    REQUIRE(serves);
  }

  /// The lines that the plugin has written, without "over", once it is over.
  std::vector<std::string> told(const std::string& act) const {
    std::vector<std::string> lines;
    const bool is_over = eventually([&] {
      lines.clear();
      std::ifstream file(zoo.path() / ("async_" + act + ".told"));
      for (std::string line; std::getline(file, line);) lines.push_back(line);
      return std::ranges::count(lines, "over") > 0;
    });
    CHECK(is_over);
    std::erase(lines, "over");
    std::ranges::sort(lines);
    return lines;
  }
  void go(const std::string& act) const {
    std::ofstream(zoo.path() / ("async_" + act + ".go")) << "go";
  }

  std::string start(const std::string& flow, const std::string& input = "null") {
    return admin().run(fmt::format("select run_id from weir.start('{}', '{}')", flow, input)).at(0);
  }
  void all_good_complete() {
    std::vector<std::string> runs;
    for (const std::string& flow : Zoo::good()) runs.push_back(start(flow));
    for (const std::string& run : runs) {
      CHECK(ends(run));
      CHECK(status(run) == "completed");
    }
  }
  bool logs(const std::string& words) const {
    return eventually([&] { return log().contains(words); });
  }
  std::size_t count_of(const std::string& words) const {
    std::size_t count = 0;
    const std::string text = log();
    for (std::size_t at = 0; (at = text.find(words, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  void ends_orderly() {
    serve->signal(SIGTERM);
    CHECK(serve->wait() == 0);
    CHECK(eventually([&] { return processes().empty(); }));
  }
};

}  // namespace

TEST_SUITE_BEGIN("zoo");

TEST_CASE("A3: each misuse of a deferred call is refused and told and hurts no other step") {
  std::vector<std::string> actors;
  for (const Misuse& misuse : misuses) actors.push_back("async_" + misuse.act);
  AsyncZoo served(actors);
  std::map<std::string, std::string> runs;
  for (const Misuse& misuse : misuses) runs[misuse.act] = served.start("async_" + misuse.act);
  served.all_good_complete();
  for (const Misuse& misuse : misuses) {
    INFO(misuse.act);
    const std::string& run = runs[misuse.act];
    CHECK(served.ends(run));
    CHECK(served.status(run) == (misuse.code.empty() ? "completed" : "failed"));
    CHECK(served.last_code(run) == misuse.code);
    if (misuse.act == "returns_first") served.go(misuse.act);
    if (!is_silent(misuse.act)) {
      std::vector<std::string> expected = misuse.told;
      std::ranges::sort(expected);
      CHECK(served.told(misuse.act) == expected);
    }
    const std::string of_run = fmt::format("run {}", run);
    CHECK(eventually([&] {
      for (std::string text = served.log(); !text.empty();) {
        const std::size_t end = text.find('\n');
        const std::string line = text.substr(0, end);
        if (misuse.logged.empty()) return true;
        if (line.contains(of_run) && line.contains(misuse.logged)) return true;
        text.erase(0, end == std::string::npos ? end : end + 1);
      }
      return false;
    }));
    CHECK(served.admin()
              .run(fmt::format("select count(*) from weir.attempts where run_id = '{}'", run))
              .at(0) == "1");
  }
  // However often it is done, it is told once.
  CHECK(served.count_of("completes after its deferred call was completed") <= 2);
  CHECK_FALSE(served.log().contains("started again"));
  served.all_good_complete();

  // What is not completed keeps the code, and says so.
  fs::remove(served.zoo.plugins() / "async_never.so");
  CHECK(served.logs("async_never.so (sha256 "));
  CHECK(served.logs("stays loaded: 1 deferred call is pending"));
  INFO("log:\n", served.log());
  served.ends_orderly();
}

TEST_CASE("A5: a call completed after its plugin was replaced is refused and then the code goes") {
  AsyncZoo served({});
  served.zoo.put_actor("async_late_1", "async_late");
  CHECK(eventually([&] {
    return served.admin()
               .run("select 1 from weir.versions where flow = 'async_late' and workers > 0")
               .size() == 1;
  }));
  const std::string run = served.start("async_late");
  CHECK(served.ends(run));
  CHECK(served.last_code(run) == "timed_out");
  const auto old =
      served.admin().run("select sha256 from weir.plugins where plugin = 'async_late'");
  REQUIRE(old.size() == 1);

  served.zoo.put_actor("async_late_2", "async_late");
  CHECK(eventually([&] {
    return served.admin()
               .run(
                   "select 1 from weir.versions where flow = 'async_late' and version = 2 and "
                   "workers > 0")
               .size() == 1;
  }));
  const std::string next = served.start("async_late");
  CHECK(served.ends(next));
  CHECK(served.status(next) == "completed");
  CHECK(served.logs(fmt::format("(sha256 {}) stays loaded: 1 deferred call is pending", old[0])));
  CHECK(eventually([&] {
    return served.admin().run("select pending_calls from weir.plugins where state = 'former'") ==
           std::vector<std::string>{"1"};
  }));
  const Ran text = run_program(WEIR_PROGRAM, {"plugins", "list"}, {.folder = served.zoo.path()});
  CHECK((text.out + text.err).contains("async_late.so: stays loaded: 1 deferred call is pending"));
  const Ran json =
      run_program(WEIR_PROGRAM, {"plugins", "list", "--json"}, {.folder = served.zoo.path()});
  CHECK(json.out.contains("\"pending_calls\":1"));
  CHECK(staged_copies_of(served.processes()).contains(old[0]));

  served.go("late");
  CHECK(served.told("late") == std::vector<std::string>{"complete=3", "output=1"});
  CHECK(served.logs(fmt::format("run {}: the late result of async_late.act is refused", run)));
  CHECK(eventually([&] { return !staged_copies_of(served.processes()).contains(old[0]); }));
  CHECK(eventually([&] {
    return served.admin().run("select 1 from weir.plugins where state = 'former'").empty();
  }));
  INFO("log:\n", served.log());
  served.ends_orderly();
}

TEST_CASE("A4: more calls than may be deferred wait in slots and none is lost") {
  AsyncZoo served({"async_floods"});
  const std::string run =
      served.admin()
          .run(
              "select run_id from weir.start('async_floods', (select jsonb_agg(i) from "
              "generate_series(1, 2500) i))")
          .at(0);
  // All that are not deferred have ended.
  CHECK(eventually([&] {
    return served.admin()
               .run(fmt::format("select count(*) from weir.attempts where run_id = '{}' and "
                                "outcome = 'completed'",
                                run))
               .at(0) == "1500";
  }));
  served.all_good_complete();
  served.go("floods");
  CHECK(served.ends(run));
  CHECK(served.status(run) == "completed");
  CHECK(served.told("floods") == std::vector<std::string>{"accepted=1000"});
  INFO("log:\n", served.log());
  served.ends_orderly();
}

TEST_CASE("F1: what crashes as it is told to stop is charged to the call that it belongs to") {
  AsyncZoo served({"async_stop_crashes", "async_hands_over"});
  const std::string run = served.start("async_stop_crashes");
  CHECK(served.ends(run));
  CHECK(served.last_code(run) == "worker_crashed");
  served.all_good_complete();
  INFO("log:\n", served.log());
  CHECK(served.log().contains("step async_stop_crashes.act crashed: SIGSEGV"));
  served.ends_orderly();
}

TEST_CASE("F4: what blocks the worker as it is told to stop is ended and charged") {
  AsyncZoo served({"async_stop_blocks"});
  const std::string run = served.start("async_stop_blocks");
  CHECK(served.ends(run));
  CHECK(served.last_code(run) == "worker_crashed");
  served.all_good_complete();
  INFO("log:\n", served.log());
  CHECK(served.log().contains("step async_stop_blocks.act takes longer than 15 s"));
  served.ends_orderly();
}

TEST_SUITE_END();
