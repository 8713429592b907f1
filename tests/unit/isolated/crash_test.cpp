#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/eventually.hpp"
#include "unit/isolated/plugin_rig.hpp"

TEST_SUITE_BEGIN("isolated: crashes");

namespace {
using namespace weir;
using namespace std::chrono_literals;
using weir::testing::PluginRig;
using weir::testing::result_text;

IsolatedOptions one_process() {
  auto options = weir::testing::isolated_options();
  options.processes = 1;
  options.stop_grace = 50ms;
  return options;
}

// The process for which the next recv() finds nothing, and returns only when that process has ended.
std::atomic<pid_t> missed = 0;
}  // namespace

// In place of libc's: what happens between a timeout of the channel and the next look at the process
// lasts a microsecond otherwise.
extern "C" ssize_t recv(int socket, void* into, std::size_t room, int flags) {
  if (const pid_t process = missed.exchange(0); process != 0) {
    static_cast<void>(weir::testing::eventually([&] { return weir::testing::has_ended(process); }));
    errno = EAGAIN;
    return -1;
  }
  return ::syscall(SYS_recvfrom, socket, into, room, flags, nullptr, nullptr);
}

TEST_CASE("F1: a crash of an isolated step is one failed attempt that says how it ended") {
  PluginRig rig(weir::testing::deeds(), one_process(), {.max_crashes = 100});
  const std::string begins = "failed worker_crashed: step \"deeds.do\" of plugin \"deeds\" ";
  CHECK(
      result_text(rig.run("segv")).starts_with(begins + "ended its process: signal 11 (SIGSEGV)"));
  CHECK(
      result_text(rig.run("abort")).starts_with(begins + "ended its process: signal 6 (SIGABRT)"));
  CHECK(result_text(rig.run("kill")).starts_with(begins + "ended its process: signal 9 (SIGKILL)"));
  CHECK(result_text(rig.run("exit")).starts_with(begins + "ended its process: exit status 3"));
  CHECK(result_text(rig.run("_exit")).starts_with(begins + "ended its process: exit status 4"));
  CHECK(result_text(rig.run("exit_ok")).starts_with(begins + "ended its process: exit status 0"));
  CHECK(result_text(rig.run("count")) == "completed: 1");
  CHECK(result_text(rig.run("count")) == "completed: 2");
}

TEST_CASE("F1: what breaks the channel to the worker is a crash of that step") {
  PluginRig rig(weir::testing::deeds(), one_process());
  CHECK(result_text(rig.run("nonsense")).starts_with("failed worker_crashed"));
  CHECK(result_text(rig.run("closes")).starts_with("failed worker_crashed"));
  CHECK(result_text(rig.run("count")) == "completed: 1");
}

TEST_CASE("F1: a step that writes over the record of its call and dies is charged, and runs once") {
  PluginRig rig(weir::testing::deeds(), one_process(), {.max_crashes = 100});
  for (const int call : {1, 2}) {  // on a fresh process, and on one that has run another step
    CHECK(rig.run("wipes_record").error_code == "worker_crashed");
    const std::string log = rig.log();
    std::size_t times = 0;
    for (std::size_t at = log.find("wiping"); at != std::string::npos;
         at = log.find("wiping", at + 1))
      ++times;
    CHECK(times == static_cast<std::size_t>(call));
    CHECK(result_text(rig.run("count")) == "completed: 1");
  }
}

TEST_CASE("F1: a crash takes only the call with it that caused it") {
  PluginRig rig;
  PluginRig::Call bystander(rig, "until_cancelled");
  REQUIRE(weir::testing::eventually([&] { return rig.log().contains("waiting"); }));
  CHECK(rig.run("segv").error_code == "worker_crashed");
  bystander.cancel();
  CHECK(result_text(bystander.result()) ==
        "failed cancelled: the step stopped as if it had been cancelled");
}

TEST_CASE("F1: a process that dies between two calls charges neither of them") {
  PluginRig rig(weir::testing::deeds(), one_process());
  REQUIRE(result_text(rig.run("later")) == "completed: \"later\"");
  const pid_t process = weir::testing::children().at(0);
  REQUIRE(weir::testing::eventually([&] { return weir::testing::has_ended(process); }));
  CHECK(result_text(rig.run("count")) == "completed: 1");
}

TEST_CASE("F1: a result that was sent counts however soon its process dies") {
  PluginRig rig(weir::testing::deeds(), one_process());
  missed = weir::testing::children().at(0);
  CHECK(result_text(rig.run("answers_and_dies")) == "completed: \"last words\"");
  CHECK(result_text(rig.run("count")) == "completed: 1");
}

TEST_CASE("F1: a call is charged for none of the processes that died while they were idle") {
  PluginRig rig;
  {
    std::vector<std::unique_ptr<PluginRig::Call>> calls;
    for (std::size_t i = 0; i < weir::testing::isolated_options().processes; ++i)
      calls.push_back(std::make_unique<PluginRig::Call>(rig, "later_when_cancelled"));
    REQUIRE(weir::testing::eventually([] { return weir::testing::children().size() == 4; }));
    for (const auto& call : calls) call->cancel();
    for (const auto& call : calls) call->result();
  }
  for (const pid_t process : weir::testing::children())
    REQUIRE(weir::testing::eventually([&] { return weir::testing::has_ended(process); }));
  CHECK(result_text(rig.run("count")) == "completed: 1");
}

TEST_CASE("F4: a step that sends a byte now and then is killed all the same") {
  PluginRig rig(weir::testing::deeds(), one_process());
  PluginRig::Call call(rig, "trickles");
  call.cancel();
  CHECK(call.result().error_code == "worker_timeout");
}

TEST_CASE("F1: a plugin whose isolated steps keep crashing is quarantined") {
  PluginRig rig(weir::testing::deeds(), one_process(), {.max_crashes = 2});
  const auto barred = [&] {
    return rig.quarantine->barred(rig.sha256(), std::chrono::steady_clock::now()).has_value();
  };
  rig.run("segv");
  rig.run("segv");
  CHECK_FALSE(barred());
  rig.run("segv");
  CHECK(barred());
  // A call in hand still runs: its attempt is not to be burnt for what others did.
  CHECK(result_text(rig.run("count")) == "completed: 1");
}

TEST_CASE("F4: a step that does not stop when told to is killed with its process") {
  PluginRig rig(weir::testing::deeds(), one_process());
  for (const char* deed : {"hang", "hang_deaf"}) {
    CAPTURE(deed);
    PluginRig::Call call(rig, deed);
    call.cancel();
    CHECK(result_text(call.result()) ==
          "failed worker_timeout: step \"deeds.do\" of plugin \"deeds\" did not stop within 50 ms "
          "of being told to: its process was killed");
  }
  CHECK(result_text(rig.run("count")) == "completed: 1");
  CHECK_FALSE(rig.quarantine->barred(rig.sha256(), std::chrono::steady_clock::now()));
}

TEST_CASE("F4: a step that stops when told to keeps its process") {
  PluginRig rig(weir::testing::deeds(), one_process());
  REQUIRE(result_text(rig.run("count")) == "completed: 1");
  PluginRig::Call call(rig, "until_cancelled");
  REQUIRE(weir::testing::eventually([&] { return rig.log().contains("waiting"); }));
  call.cancel();
  CHECK(result_text(call.result()) ==
        "failed cancelled: the step stopped as if it had been cancelled");
  CHECK(result_text(rig.run("count")) == "completed: 3");
}

TEST_CASE("A call that waits for a free process stops waiting when it is cancelled") {
  PluginRig rig(weir::testing::deeds(), one_process());
  PluginRig::Call busy(rig, "until_cancelled");
  REQUIRE(weir::testing::eventually([&] { return rig.log().contains("waiting"); }));
  PluginRig::Call waits(rig, "echo");
  waits.cancel();
  CHECK(result_text(waits.result()) ==
        "failed cancelled: the step stopped as if it had been cancelled");
  busy.cancel();
  busy.result();
}

TEST_SUITE_END();
