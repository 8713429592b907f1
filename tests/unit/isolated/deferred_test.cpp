// Deferred calls of isolated steps, and of the same plugin in this process.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <malloc.h>

#include "plugin/in_process_host.hpp"
#include "step/step_call.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"
#include "unit/isolated/plugin_rig.hpp"

TEST_SUITE_BEGIN("isolated: deferred calls");

namespace {
using namespace weir;
using namespace std::chrono_literals;
using weir::testing::children;
using weir::testing::eventually;
using weir::testing::has_ended;
using weir::testing::PluginRig;
using weir::testing::result_text;
using weir::testing::TemporaryFolder;

constexpr const char* cancelled = "failed cancelled: the step stopped as if it had been cancelled";

IsolatedOptions single_process() {
  auto options = weir::testing::isolated_options();
  options.processes = 1;
  options.stop_grace = 50ms;
  return options;
}

// A host that lets calls be deferred, as a worker's slots do.
class Deferring {
 public:
  explicit Deferring(IsolatedOptions options = single_process(), std::size_t deferred_max = 10'000)
      : Deferring(std::make_unique<PluginRig>(weir::testing::deferring(), std::move(options),
                                              Quarantine::Limit{.max_crashes = 100}),
                  deferred_max) {}
  explicit Deferring(std::unique_ptr<PluginRig> given, std::size_t deferred_max = 10'000)
      : rig(std::move(given)) {
    host_->resources = std::make_shared<StepResources>();
    host_->lines = lines_to(rig->logs());
    host_->completed = [finished = finished_](std::shared_ptr<Attempt> attempt) {
      const std::lock_guard lock(finished->mutex);
      finished->all.push_back(std::move(attempt));
    };
    host_->release = [finished = finished_](StepHost::Held held) {
      const std::lock_guard lock(finished->mutex);
      std::ranges::move(held, std::back_inserter(finished->held));
    };
    host_->deferred_max = deferred_max;
  }
  static Deferring in_process() {
    return Deferring(
        std::make_unique<PluginRig>(weir::testing::deferring(), std::make_unique<InProcessHost>()));
  }

  std::shared_ptr<Attempt> begin(std::string_view deed) {
    auto attempt = rig->attempt(deed);
    if (auto result = call_step(attempt, host_)) {
      attempt->result = *std::move(result);
      const std::lock_guard lock(finished_->mutex);
      finished_->all.push_back(attempt);
    }
    return attempt;
  }
  std::shared_ptr<Attempt> pend(std::string_view deed) {
    auto attempt = begin(deed);
    REQUIRE_FALSE(has_finished(attempt));
    return attempt;
  }
  // Goes on, once it is pending, with what it does then.
  std::shared_ptr<Attempt> pend_and(std::string_view deed) {
    const TemporaryFolder folder;
    auto attempt = pend(std::string(deed) + "@" + (folder.path() / "now").string());
    folder.write("now", "");
    text(attempt);  // it may still look for the file
    return attempt;
  }
  std::vector<std::shared_ptr<Attempt>> pend(std::string_view deed, std::size_t count) {
    std::vector<std::shared_ptr<Attempt>> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(pend(deed));
    return all;
  }
  std::string run(std::string_view deed) { return text(begin(deed)); }
  bool has_finished(const std::shared_ptr<Attempt>& attempt) const {
    const std::lock_guard lock(finished_->mutex);
    return std::ranges::find(finished_->all, attempt) != finished_->all.end();
  }
  std::size_t finished() const {
    const std::lock_guard lock(finished_->mutex);
    return finished_->all.size();
  }
  // What came of a deferred call.
  std::string text(const std::shared_ptr<Attempt>& attempt) const {
    REQUIRE(eventually([&] { return has_finished(attempt); }));
    return attempt->given_back ? "given back" : result_text(attempt->result);
  }
  std::size_t count(const std::vector<std::shared_ptr<Attempt>>& attempts,
                    std::string_view begins) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        attempts, [&](const auto& each) { return text(each).starts_with(begins); }));
  }
  std::size_t pending() const { return host_->deferred; }
  void forget_finished() {
    StepHost::Held held;
    const std::lock_guard lock(finished_->mutex);
    finished_->all.clear();
    held.swap(finished_->held);
  }

  std::unique_ptr<PluginRig> rig;

 private:
  struct Finished {
    std::mutex mutex;
    std::vector<std::shared_ptr<Attempt>> all;
    StepHost::Held held;
  };
  const std::shared_ptr<StepHost> host_ = std::make_shared<StepHost>();
  const std::shared_ptr<Finished> finished_ = std::make_shared<Finished>();
};
}  // namespace

TEST_CASE("A2: deferred calls give the same results isolated and in process") {
  Deferring isolated, in_process = Deferring::in_process();
  for (const char* deed :
       {"now", "twice", "fails", "bad", "none", "large", "logs", "facts", "before_return",
        "defers_and_answers", "resource", "resource_before_return"}) {
    CAPTURE(deed);
    CHECK(isolated.run(deed) == in_process.run(deed));
  }
  CHECK(isolated.run("twice") == "completed: \"once\"");
  CHECK(isolated.run("fails") == "failed busy: again after 1234 ms");
  CHECK(isolated.run("facts") == "completed: \"run-1;deferring;do;2;5;\"");
}

TEST_CASE("A1: a thousand calls are pending in one process, which runs others meanwhile") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 1'000);
  CHECK(isolated.finished() == 0);
  CHECK(children().size() == 1);
  CHECK(isolated.run("held") == "completed: 1000");
  CHECK(isolated.run("release") == "completed: 1000");
  for (std::size_t i = 0; i < attempts.size(); ++i)
    REQUIRE(isolated.text(attempts[i]) == "completed: " + std::to_string(i));
  CHECK(isolated.pending() == 0);
  const auto others = isolated.pend("hold", 100);
  CHECK(isolated.run("release_elsewhere") == "completed: 1");
  CHECK(isolated.count(others, "completed: \"elsewhere\"") == 100);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("A4: a pending isolated call costs the worker little memory") {
  Deferring isolated;
  isolated.pend("hold", 100);  // what is allocated once
  constexpr std::size_t count = 1'000;
  const std::size_t before = ::mallinfo2().uordblks;
  const auto attempts = isolated.pend("hold", count);
  const std::size_t each = (::mallinfo2().uordblks - before) / count;
  MESSAGE(each, " bytes for each");
  CHECK(each <= 2'048);
  isolated.run("release");
  CHECK(isolated.count(attempts, "completed") == count);
}
#endif

TEST_CASE("A3: a second completion in an isolated process is told in the log of the worker") {
  Deferring isolated;
  CHECK(isolated.run("twice") == "completed: \"once\"");
  // It comes behind the result, and is read with the next call.
  CHECK(eventually([&] {
    isolated.run("now");
    return isolated.rig->log().contains("after its deferred call was completed: that is refused");
  }));
}

TEST_CASE("A4: where no more calls may be deferred the others wait for their results") {
  Deferring isolated(single_process(), 2);
  const auto attempts = isolated.pend("hold", 2);
  CHECK(isolated.run("twice") == "completed: \"once\"");
  PluginRig::Call waits(*isolated.rig, "hold");  // by a host that defers none
  REQUIRE(eventually([&] { return isolated.run("held") == "completed: 3"; }));
  CHECK(isolated.run("release") == "completed: 3");
  CHECK(result_text(waits.result()) == "completed: 2");
  CHECK(isolated.count(attempts, "completed") == 2);
}

TEST_CASE("F4: a pending call is told to stop, and the others are not") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 3);
  attempts[1]->stop.cancel();
  CHECK(isolated.text(attempts[1]) == cancelled);
  CHECK(isolated.finished() == 1);
  CHECK(isolated.run("release") == "completed: 2");  // the process is the same
  CHECK(isolated.count(attempts, "completed") == 2);
}

TEST_CASE("F4: thousands of pending calls are told to stop at once") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 3'000);
  for (const auto& attempt : attempts) attempt->stop.cancel();
  CHECK(isolated.count(attempts, cancelled) == 3'000);
  CHECK(isolated.run("now") == "completed: \"now\"");
}

TEST_CASE("A5: a pending call that ignores its stop is refused and its process goes on") {
  Deferring isolated;
  const auto deaf = isolated.pend("hold_deaf"), other = isolated.pend("hold");
  const pid_t process = children().at(0);
  deaf->stop.cancel();
  CHECK(end_deferred(*deaf));  // as the worker does when its time to stop is over
  CHECK(isolated.run("release") == "completed: 2");
  CHECK(isolated.text(other) == "completed: 1");
  CHECK_FALSE(has_ended(process));
  CHECK(eventually([&] { return isolated.pending() == 0; }));

  PluginRig::Call waits(*isolated.rig, "hold_deaf");
  REQUIRE(eventually([&] { return isolated.run("held") == "completed: 1"; }));
  const auto neighbour = isolated.pend("hold");
  waits.cancel();
  CHECK(result_text(waits.result()) ==
        "failed worker_timeout: step \"deferring.do\" of plugin \"deferring\" did not stop within "
        "50 ms of being told to: what it still does is refused");
  CHECK(isolated.run("release") == "completed: 2");
  CHECK(isolated.text(neighbour) == "completed: 1");
  CHECK_FALSE(has_ended(process));
}

TEST_CASE("F4: a call whose run does not stop is killed and what is pending beside it given back") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 10);
  PluginRig::Call hangs(*isolated.rig, "hang");
  hangs.cancel();
  CHECK(hangs.result().error_code == "worker_timeout");
  CHECK(isolated.count(attempts, "given back") == 10);
  CHECK(isolated.run("now") == "completed: \"now\"");
}

TEST_CASE("F1: a crash is charged to the call that runs and to none of a hundred pending ones") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 100);
  CHECK(isolated.run("crash").starts_with(
      "failed worker_crashed: step \"deferring.do\" of plugin \"deferring\" ended its process: "
      "signal 11 (SIGSEGV)"));
  CHECK(isolated.count(attempts, "given back") == 100);
  CHECK(isolated.pending() == 0);
  CHECK(isolated.run("held") == "completed: 0");
}

TEST_CASE("F1: a crash is charged to the pending call that the thread works for") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 100);
  const auto crashes = isolated.pend_and("crash_entered");
  const std::string text = isolated.text(crashes);
  CHECK(
      text.starts_with("failed worker_crashed: step \"deferring.do\" of plugin \"deferring\" "
                       "ended its process: signal 11 (SIGSEGV)"));
  CHECK(text.contains("deferring.so!"));
  CHECK(isolated.count(attempts, "given back") == 100);
}

TEST_CASE("F1: a call that runs while another one's thread crashes begins again in its place") {
  Deferring isolated;
  const auto crashes = isolated.pend("hold");
  CHECK(isolated.run("crash_of_another") == "completed: \"again\"");
  CHECK(isolated.text(crashes).starts_with("failed worker_crashed"));
}

TEST_CASE("F1: a result that was sent counts though the thread that sent it crashes") {
  Deferring isolated;
  const auto attempt = isolated.pend("hold");
  const auto crashes = isolated.pend_and("crash_completed");
  CHECK(isolated.text(crashes) == "completed: \"last words\"");
  CHECK(isolated.text(attempt) == "given back");
}

TEST_CASE("F1: what no call is charged for counts against the plugin, and is bounded") {
  Deferring isolated;
  const auto crashes = [&] {
    const auto held = isolated.pend("hold");
    const auto outside = isolated.pend_and("crash_outside");
    const std::string text = isolated.text(outside);
    CHECK(isolated.text(held).substr(0, 10) == text.substr(0, 10));
    return text;
  };
  CHECK(crashes() == "given back");
  CHECK(crashes() == "given back");
  const std::string third = crashes();
  CHECK(
      third.starts_with("failed worker_crashed: step \"deferring.do\" of plugin \"deferring\" was "
                        "pending when its process ended, for the third time within 10 minutes"));
  CHECK(third.contains("signal 11 (SIGSEGV)"));
}

TEST_CASE("F1: a process that is killed from outside gives back what is pending in it") {
  Deferring isolated;
  const auto attempts = isolated.pend("hold", 50);
  ::kill(children().at(0), SIGKILL);
  CHECK(isolated.count(attempts, "given back") == 50);
  CHECK(isolated.rig->log().contains("ended with 50 pending calls: signal 9 (SIGKILL)"));
  CHECK(isolated.run("now") == "completed: \"now\"");
}

TEST_CASE("F1: a call that waits for its result begins again when its process is killed") {
  Deferring isolated;
  PluginRig::Call waits(*isolated.rig, "hold");
  REQUIRE(eventually([&] { return isolated.run("held") == "completed: 1"; }));
  ::kill(children().at(0), SIGKILL);
  REQUIRE(eventually([&] { return isolated.run("held") == "completed: 1"; }));
  CHECK(isolated.run("release") == "completed: 1");
  CHECK(result_text(waits.result()) == "completed: 0");
}

TEST_CASE("A3: a process that sends a result for no call or again is killed") {
  for (const bool again : {false, true}) {
    CAPTURE(again);
    Deferring isolated;
    CHECK(isolated.run("now") == "completed: \"now\"");  // the first
    const auto attempts = isolated.pend("hold", 3);
    if (again)
      CHECK(isolated.run("result_again").starts_with("failed worker_crashed"));
    else
      CHECK(isolated.text(isolated.pend_and("result_of_no_call")) == "given back");
    CHECK(isolated.count(attempts, "given back") == 3);
    CHECK(isolated.rig->log().contains("it wrote into the channel to its worker, and was killed"));
    CHECK(isolated.run("now") == "completed: \"now\"");
  }
}

TEST_CASE("Lines of pending isolated calls stand in the worker's log as any other") {
  Deferring isolated;
  CHECK(isolated.run("logs") == "completed: \"logged\"");
  CHECK(isolated.rig->log() == "info: run run-1 deferring.do: elsewhere\n");
}

TEST_CASE("What a pending isolated call has acquired is released after it, on another thread") {
  Deferring isolated;
  CHECK(isolated.run("resource") == "completed: \"used\"");
  CHECK(eventually([&] { return isolated.run("destroyed") == "completed: 1"; }));
}

TEST_CASE("A process in which calls are pending does not end for having nothing to do") {
  auto options = weir::testing::isolated_options();
  options.idle_max = 1ms;
  Deferring isolated(options);
  const auto attempt = isolated.pend("hold");
  const pid_t process = children().at(0);
  {
    PluginRig::Call one(*isolated.rig, "until_cancelled"), two(*isolated.rig, "until_cancelled");
    REQUIRE(eventually([] { return children().size() == 2; }));
    one.cancel();
    two.cancel();
  }
  CHECK(eventually([&] { return children() == std::vector{process}; }));
  CHECK(isolated.run("release") == "completed: 1");
  CHECK(isolated.text(attempt) == "completed: 0");
}

TEST_CASE("A5: the processes stay while calls are pending and end with the last of them") {
  Deferring isolated;
  auto attempt = isolated.pend("hold");
  isolated.rig->release_modules();
  CHECK(children().size() == 1);
  attempt->stop.cancel();
  CHECK(isolated.text(attempt) == cancelled);
  isolated.forget_finished();
  attempt.reset();
  CHECK(eventually([] { return children().empty(); }));
}

TEST_CASE("Hosts of plugins end however often, while their reader is woken") {
  for (int i = 0; i < 20; ++i) {
    Deferring isolated;
    isolated.pend("hold", 3);
    CHECK(isolated.run("release") == "completed: 3");  // while it is watched
    isolated.forget_finished();
    isolated.rig.reset();
    CHECK(children().empty());
  }
}

TEST_SUITE_END();
