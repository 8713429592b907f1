#include "store/local/local_postgres.hpp"

#include <fstream>
#include <optional>
#include <vector>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process_handle.hpp"
#include "project_folder.hpp"
#include "store/local/postmaster.hpp"
#include "support/admin_session.hpp"
#include "user_process.hpp"

using weir::LocalPostgres;
using weir::ProcessHandle;
using weir::local::any_process_in;
using weir::local::read_pid_file;
using weir::testing::AdminSession;
using weir::testing::ProjectFolder;
using weir::testing::UserProcess;
using namespace std::chrono_literals;

namespace {

/// Without waiting for the disk, where that is not what is tested.
LocalPostgres opened(const std::filesystem::path& folder,
                     const LocalPostgres::Options& options = {.durable = false}) {
  auto server = LocalPostgres::open(folder, options);
  REQUIRE_MESSAGE(server, weir::to_string(server.error()));
  return std::move(*server);
}

pid_t server_of(const ProjectFolder& project) {
  const auto found = read_pid_file(project.data());
  REQUIRE(found);
  return found->pid;
}

/// As the kernel or an operator short of memory would.
void kill_server(const ProjectFolder& project) {
  const auto server = ProcessHandle::open(server_of(project));
  REQUIRE(server);
  server->signal(SIGKILL);
  REQUIRE(server->wait(60s));
}

}  // namespace

TEST_SUITE("store: private PostgreSQL") {
  TEST_CASE("the last one out stops the server") {
    const ProjectFolder project;
    std::optional first(opened(project.weir()));
    std::optional second(opened(project.weir()));
    first.reset();
    CHECK(AdminSession(second->url()).run("select 1") == std::vector<std::string>{"1"});
    second.reset();
    CHECK_FALSE(any_process_in(project.data()));
  }

  TEST_CASE("a second start keeps the cluster and what is in it") {
    const ProjectFolder project;
    AdminSession(opened(project.weir()).url()).run("create table kept as select 7 as answer");
    const auto made = last_write_time(project.data() / "PG_VERSION");
    const LocalPostgres again = opened(project.weir());
    CHECK(AdminSession(again.url()).run("select answer from kept") ==
          std::vector<std::string>{"7"});
    CHECK(last_write_time(project.data() / "PG_VERSION") == made);
  }

  TEST_CASE("six processes that start at once share one server") {
    const ProjectFolder project;
    std::vector<UserProcess> users;
    for (int count = 0; count < 6; ++count) users.emplace_back(project.weir());
    const std::string url = users.front().first_line();
    REQUIRE(url.starts_with("postgresql:///postgres?host="));
    for (std::size_t other = 1; other < users.size(); ++other) {
      CHECK(users[other].first_line() == url);
    }
    CHECK(AdminSession(url).run("select 1").size() == 1);
    for (UserProcess& user : users) CHECK(user.leave() == 0);
    CHECK_FALSE(any_process_in(project.data()));
    std::ifstream log(project.weir() / "postgres/server.log");
    std::size_t starts = 0;
    for (std::string line; std::getline(log, line);) starts += line.contains("starting PostgreSQL");
    CHECK(starts == 1);
  }

  TEST_CASE("a server whose starter was killed is taken over and stopped by the last one out") {
    const ProjectFolder project;
    UserProcess starter(project.weir());
    starter.first_line();
    const pid_t server = server_of(project);
    starter.kill();
    std::optional heir(opened(project.weir()));
    CHECK(server_of(project) == server);
    heir.reset();
    CHECK_FALSE(any_process_in(project.data()));
  }

  TEST_CASE("no signal of the terminal reaches the server") {
    const ProjectFolder project;
    const LocalPostgres server = opened(project.weir());
    CHECK(getsid(server_of(project)) == server_of(project));
  }

  TEST_CASE("what was committed survives the sudden death of the server") {
    const ProjectFolder project;
    const LocalPostgres ours = opened(project.weir(), {});
    AdminSession(ours.url()).run("create table kept as select 7 as answer");
    kill_server(project);
    const LocalPostgres again = opened(project.weir(), {});
    CHECK(AdminSession(again.url()).run("select answer from kept") ==
          std::vector<std::string>{"7"});
  }

  TEST_CASE("a pid file whose pid is somebody else's by now stops no start") {
    const ProjectFolder project;
    const LocalPostgres ours = opened(project.weir());
    kill_server(project);
    std::string pid_file;
    {
      std::ifstream in(project.data() / "postmaster.pid");
      std::getline(in, pid_file);  // the pid, which is replaced
      pid_file = std::to_string(getpid()) + "\n";
      for (std::string line; std::getline(in, line);) pid_file += line + "\n";
    }
    std::ofstream(project.data() / "postmaster.pid") << pid_file;
    const LocalPostgres again = opened(project.weir());
    CHECK(AdminSession(again.url()).run("select 1").size() == 1);
  }

  TEST_CASE("a cluster that was not made to the end is made again") {
    const ProjectFolder project;
    {
      const LocalPostgres first = opened(project.weir());
    }
    std::filesystem::remove(project.weir() / "postgres/initialised");
    std::filesystem::remove(project.data() / "global/pg_control");
    const LocalPostgres again = opened(project.weir());
    CHECK(AdminSession(again.url()).run("select 1").size() == 1);
  }

  TEST_CASE("a forked child gives no share back") {
    const ProjectFolder project;
    std::optional ours(opened(project.weir()));
    const pid_t child = fork();
    if (child == 0) {
      ours.reset();
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    CHECK(AdminSession(ours->url()).run("select 1").size() == 1);
  }

  TEST_CASE("the server takes no connection from the network") {
    const ProjectFolder project;
    const LocalPostgres server = opened(project.weir());
    CHECK(AdminSession(server.url()).run("show listen_addresses") == std::vector<std::string>{""});
  }

  TEST_CASE("commits wait for the disk") {
    const ProjectFolder project;
    const LocalPostgres server = opened(project.weir(), {});
    AdminSession session(server.url());
    for (const char* setting : {"fsync", "synchronous_commit", "full_page_writes"}) {
      CHECK(session.run(std::string("show ") + setting) == std::vector<std::string>{"on"});
    }
  }
}
