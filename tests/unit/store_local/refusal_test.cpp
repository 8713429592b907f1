#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include "project_folder.hpp"
#include "store/local/local_postgres.hpp"
#include "user_process.hpp"

using weir::LocalPostgres;
using weir::testing::ProjectFolder;
using weir::testing::UserProcess;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view makes_a_cluster = "mkdir -p \"$2\" && echo 15 > \"$2/PG_VERSION\"";

weir::Error refusal(const ProjectFolder& project, const LocalPostgres::Options& options) {
  const auto server = LocalPostgres::open(project.weir(), options);
  REQUIRE_FALSE(server);
  CHECK(server.error().code == weir::ErrorCode::unavailable);
  return server.error();
}

/// Somebody who may not do what root may: another user, or ourselves if we are not root.
std::string other_user() { return geteuid() == 0 ? "nobody" : ""; }

}  // namespace

TEST_SUITE("store: a private PostgreSQL that cannot be had") {
  TEST_CASE("without PostgreSQL the package is named and nothing is made") {
    const ProjectFolder project;
    const weir::Error error = refusal(project, {.programs = project.path()});
    CHECK(error.kind == "postgres_missing");
    CHECK(error.message == "there are no PostgreSQL programs (initdb, postgres) in \"" +
                               project.path().string() + "\"");
    CHECK(error.hint ==
          "apt-get install postgresql, or name a server with database: in flows.yaml");
    CHECK_FALSE(fs::exists(project.weir()));
  }

  TEST_CASE("WEIR_POSTGRES_BIN is where the programs are") {
    const ProjectFolder project;
    setenv("WEIR_POSTGRES_BIN", project.path().c_str(), 1);
    CHECK(refusal(project, {}).kind == "postgres_missing");
    unsetenv("WEIR_POSTGRES_BIN");
  }

  TEST_CASE("a cluster of a version that is not installed names that version") {
    const ProjectFolder project;
    {
      REQUIRE(LocalPostgres::open(project.weir(), {.durable = false}));
    }
    std::ofstream(project.weir() / "postgres/initialised") << "99\n";
    const weir::Error error = refusal(project, {});
    CHECK(error.kind == "postgres_missing");
    CHECK(error.message ==
          "this folder's database was made by PostgreSQL 99, which is not installed");
    CHECK(error.hint ==
          "apt-get install postgresql-99, or name a server with database: in flows.yaml");
  }

  TEST_CASE("when initdb fails the message ends with its last lines") {
    const ProjectFolder project;
    const auto programs = project.programs("echo reading; echo 'no such locale' >&2; exit 3", "");
    const weir::Error error = refusal(project, {.programs = programs});
    CHECK(error.kind == "initdb_failed");
    CHECK(error.message == "initdb failed (exit status 3); \"" +
                               (project.weir() / "postgres/initdb.log").string() +
                               "\" ends with\n  reading\n  no such locale\n");
  }

  TEST_CASE("a full disk is told from other failures of initdb") {
    const ProjectFolder project;
    const auto programs = project.programs("echo 'x: No space left on device' >&2; exit 1", "");
    CHECK(refusal(project, {.programs = programs}).kind == "disk_full");
  }

  TEST_CASE("when the server does not start the message has this start's lines alone") {
    const ProjectFolder project;
    const auto programs = project.programs(makes_a_cluster, "echo FATAL: $$ >&2; exit 1");
    refusal(project, {.programs = programs});
    project.programs(makes_a_cluster, "echo 'FATAL: out of shared memory' >&2; exit 1");
    const weir::Error error = refusal(project, {.programs = programs});
    CHECK(error.kind == "server_failed");
    CHECK(error.message == "the private PostgreSQL did not start; \"" +
                               (project.weir() / "postgres/server.log").string() +
                               "\" ends with\n  FATAL: out of shared memory\n");
  }

  TEST_CASE("programs that do not run are named") {
    const ProjectFolder project;
    const auto programs = project.programs(makes_a_cluster, "");
    std::ofstream(programs / "initdb", std::ios::trunc) << "#!/no/such/shell\n";
    const weir::Error error = refusal(project, {.programs = programs});
    CHECK(error.kind == "server_failed");
    CHECK(error.message.starts_with("cannot run \"" + (programs / "initdb").string() +
                                    "\" as user "));
    CHECK(error.message.ends_with(": No such file or directory"));
  }

  TEST_CASE("a server that takes too long is not waited for any longer") {
    const ProjectFolder project;
    const auto programs = project.programs(makes_a_cluster, "exec sleep 1");
    const weir::Error error =
        refusal(project, {.programs = programs, .patience = std::chrono::seconds(0)});
    CHECK(error.kind == "server_slow");
    CHECK(error.message == "the private PostgreSQL did not become ready within 0 s");
  }

  TEST_CASE("a folder one may not write to is named") {
    const ProjectFolder project;
    fs::permissions(project.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                        fs::perms::others_read | fs::perms::others_exec);
    UserProcess user(project.weir(), other_user());
    CHECK(user.first_line() == "no_permission: cannot make the folder \"" +
                                   project.weir().string() + "\": Permission denied");
    CHECK(user.leave() == 1);
  }

  TEST_CASE("a cluster of another user is refused by its owner's name") {
    if (geteuid() != 0) {
      MESSAGE("needs two users, so root");
      return;
    }
    const ProjectFolder project;
    {
      REQUIRE(LocalPostgres::open(project.weir(), {.durable = false}));
    }
    UserProcess user(project.weir(), other_user());
    CHECK(user.first_line() == "no_permission: the database in \"" +
                                   (project.weir() / "postgres").string() +
                                   "\" belongs to user postgres");
  }

  TEST_CASE("root joins the cluster of a user who is not root") {
    if (geteuid() != 0) {
      MESSAGE("needs two users, so root");
      return;
    }
    const ProjectFolder project;
    fs::permissions(project.path(), fs::perms::all);
    UserProcess user(project.weir(), other_user());
    const std::string url = user.first_line();
    UserProcess root(project.weir());
    CHECK(root.first_line() == url);
    CHECK(user.leave() == 0);
    CHECK(root.leave() == 0);
  }
}
