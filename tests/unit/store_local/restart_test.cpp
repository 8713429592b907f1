// What a user of the private PostgreSQL sees of a server that ends too early, and how it has it
// started again.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/process_handle.hpp"
#include "project_folder.hpp"
#include "store/local/file_lock.hpp"
#include "store/local/identity.hpp"
#include "store/local/local_postgres.hpp"
#include "store/local/postmaster.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using weir::LocalPostgres;
using weir::ProcessHandle;
using weir::local::any_process_in;
using weir::local::FileLock;
using weir::local::owner_of_new_cluster;
using weir::local::read_pid_file;
using weir::testing::AdminSession;
using weir::testing::eventually;
using weir::testing::ProjectFolder;
using namespace std::chrono_literals;

namespace {

bool never() { return false; }

/// A project whose server is used, and processes of that server.
struct UsedServer {
  ProjectFolder project;
  LocalPostgres server = opened();

  LocalPostgres opened() const {
    auto opened = LocalPostgres::open(project.weir(), {.durable = false});
    REQUIRE_MESSAGE(opened, weir::to_string(opened.error()));
    return std::move(*opened);
  }

  pid_t pid() const {
    const auto found = read_pid_file(project.data());
    REQUIRE(found);
    return found->pid;
  }

  ProcessHandle process(pid_t pid) const {
    auto found = ProcessHandle::open(pid);
    REQUIRE(found);
    return std::move(*found);
  }

  void signal(int number) const { process(pid()).signal(number); }

  bool answers() const { return AdminSession(server.url()).run("select 1").size() == 1; }
};

/// A session whose server process is stopped, so that it does not end with its server.
struct StoppedSession {
  explicit StoppedSession(const UsedServer& used)
      : session(used.server.url()),
        pid(std::stoi(session.run("select pg_backend_pid()")[0])),
        process(used.process(pid)) {
    process.signal(SIGSTOP);
  }
  ~StoppedSession() { process.signal(SIGKILL); }

  AdminSession session;
  pid_t pid;
  ProcessHandle process;
};

}  // namespace

TEST_SUITE("store: a private PostgreSQL that ends too early") {
  TEST_CASE("a server that was killed is noticed with its signal and started again") {
    UsedServer used;
    CHECK_FALSE(used.server.wait_for_end(0ms));
    const pid_t killed = used.pid();
    used.signal(SIGKILL);
    const auto end = used.server.wait_for_end(60s);
    REQUIRE(end);
    CHECK(end->how == "signal 9 (SIGKILL)");
    CHECK_FALSE(end->shut_down);
    const auto again = used.server.start_again(60s, never);
    REQUIRE_MESSAGE(again, weir::to_string(again.error()));
    CHECK(used.pid() != killed);
    CHECK(used.answers());
    CHECK_FALSE(used.server.wait_for_end(0ms));
  }

  TEST_CASE("a server that somebody shut down is told from one that died") {
    UsedServer used;
    used.signal(SIGINT);
    const auto end = used.server.wait_for_end(60s);
    REQUIRE(end);
    CHECK(end->how == "somebody shut it down");
    CHECK(end->shut_down);
    REQUIRE(used.server.start_again(60s, never));
    CHECK(used.answers());
  }

  TEST_CASE("a user that did not start the server notices its end too") {
    const UsedServer used;
    LocalPostgres second = used.opened();
    used.signal(SIGKILL);
    const auto end = second.wait_for_end(60s);
    REQUIRE(end);
    CHECK_FALSE(end->shut_down);
  }

  TEST_CASE("the first user starts it again and the second joins it") {
    UsedServer used;
    LocalPostgres second = used.opened();
    used.signal(SIGKILL);
    REQUIRE(used.server.wait_for_end(60s));
    REQUIRE(second.wait_for_end(60s));
    REQUIRE(used.server.start_again(60s, never));
    const pid_t running = used.pid();
    REQUIRE(second.start_again(60s, never));
    CHECK(used.pid() == running);
    CHECK_FALSE(second.wait_for_end(0ms));
  }

  TEST_CASE("a session's process that crashes is no end of the server") {
    UsedServer used;
    const pid_t running = used.pid();
    AdminSession session(used.server.url());
    const auto crashing = used.process(std::stoi(session.run("select pg_backend_pid()")[0]));
    crashing.signal(SIGKILL);
    REQUIRE(eventually([&] {  // all sessions end, and the server recovers
      try {
        return used.answers();
      } catch (const std::exception&) {
        return false;
      }
    }));
    CHECK_FALSE(used.server.wait_for_end(0ms));
    CHECK(used.pid() == running);
  }

  TEST_CASE("what remains of a dead server is named and delays the next one") {
    UsedServer used;
    const StoppedSession remains(used);
    used.signal(SIGKILL);
    REQUIRE(used.server.wait_for_end(60s));
    const auto refused = used.server.start_again(1s, never);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == "server_slow");
    INFO(refused.error().message);
    CHECK(refused.error().message.contains("has ended, but its processes "));
    CHECK(refused.error().message.contains(std::to_string(remains.pid)));
    remains.process.signal(SIGCONT);
    const auto again = used.server.start_again(60s, never);
    REQUIRE_MESSAGE(again, weir::to_string(again.error()));
    CHECK(used.answers());
  }

  TEST_CASE("a start is given up when it is cancelled") {
    UsedServer used;
    const StoppedSession remains(used);
    used.signal(SIGKILL);
    REQUIRE(used.server.wait_for_end(60s));
    int asked = 0;
    CHECK_FALSE(used.server.start_again(3600s, [&] { return ++asked > 3; }));
  }

  TEST_CASE("a server whose start was cancelled ends with its last user") {
    const ProjectFolder project;
    {
      auto opened = LocalPostgres::open(project.weir(), {.durable = false});
      REQUIRE(opened);
      ProcessHandle::open(read_pid_file(project.data())->pid)->signal(SIGKILL);
      REQUIRE(opened->wait_for_end(60s));
      REQUIRE(eventually([&] { return !any_process_in(project.data()); }));
      std::ignore = opened->start_again(3600s, [] { return true; });
      CHECK(any_process_in(project.data()));  // it recovers, or is ready already
    }
    CHECK_FALSE(any_process_in(project.data()));
  }

  TEST_CASE("a shutdown that waits for sessions is seen and can be hastened") {
    UsedServer used;
    const AdminSession session(used.server.url());
    CHECK_FALSE(used.server.is_shutting_down());
    used.signal(SIGTERM);  // "smart": no new sessions, and wait for those that there are
    REQUIRE(eventually([&] { return used.server.is_shutting_down(); }));
    CHECK_FALSE(used.server.wait_for_end(0ms));
    used.server.end_sessions();
    const auto end = used.server.wait_for_end(60s);
    REQUIRE(end);
    CHECK(end->shut_down);
  }

  TEST_CASE("a server that cannot be started says why in the words of its log") {
    UsedServer used;
    used.signal(SIGKILL);
    REQUIRE(used.server.wait_for_end(60s));
    std::filesystem::rename(used.project.data() / "global", used.project.data() / "away");
    const auto refused = used.server.start_again(60s, never);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == "server_failed");
    CHECK(refused.error().message.contains("the private PostgreSQL did not start; "));
    CHECK(refused.error().message.contains("global"));
    std::filesystem::rename(used.project.data() / "away", used.project.data() / "global");
    CHECK(used.server.start_again(60s, never));
  }

  TEST_CASE("L5: a server that does not shut down in time ends at once, and recovers") {
    UsedServer used;
    const auto began = std::chrono::steady_clock::now();
    {
      AdminSession session(used.server.url());
      session.run("set synchronous_commit = on");
      session.run("create table kept ()");
      const StoppedSession hangs(used);  // "fast" would wait for it
      used.server.stop_by(began);
      {
        const LocalPostgres ends = std::move(used.server);
      }
      CHECK(std::chrono::steady_clock::now() - began < 50s);  // patience would be 60 s
    }
    REQUIRE(eventually([&] { return !any_process_in(used.project.data()); }));
    used.server = used.opened();
    CHECK(AdminSession(used.server.url()).run("select count(*) from kept") ==
          std::vector<std::string>{"0"});
  }

  TEST_CASE("L5: the end of a user does not wait for one that starts or stops the server") {
    UsedServer used;
    {
      auto start = FileLock::open(used.server.cluster() / "start.lock", *owner_of_new_cluster());
      REQUIRE(start);
      REQUIRE(start->lock_exclusive());
      used.server.stop_by(std::chrono::steady_clock::now());
      {
        const LocalPostgres ends = std::move(used.server);
      }
      CHECK(any_process_in(used.project.data()));
    }
    used.server = used.opened();  // whoever uses it next ends it
  }

  TEST_CASE("a first start is given up when it is cancelled, and nothing is left running") {
    const ProjectFolder project;
    int asked = 0;
    const auto cancelled = LocalPostgres::open(
        project.weir(), {.durable = false, .cancelled = [&] { return ++asked > 0; }});
    REQUIRE_FALSE(cancelled);
    CHECK(cancelled.error().kind == "cancelled");
    CHECK(eventually([&] { return !any_process_in(project.data()); }));
    CHECK(LocalPostgres::open(project.weir(), {.durable = false}));
  }
}
