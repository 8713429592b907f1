#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "project_folder.hpp"
#include "store/local/local_postgres.hpp"
#include "support/admin_session.hpp"

using weir::LocalPostgres;
using weir::testing::AdminSession;
using weir::testing::ProjectFolder;
namespace fs = std::filesystem;

namespace {

const LocalPostgres::Options not_durable{.durable = false};

bool answers(const LocalPostgres& server) {
  return AdminSession(server.url()).run("select 1").size() == 1;
}

/// A folder below a parent that only root may pass.
struct SecludedProject {
  ProjectFolder project;
  fs::path weir = project.path() / "secluded/.weir";
  LocalPostgres::Options apart{.elsewhere = project.path() / "elsewhere", .durable = false};

  SecludedProject() {
    fs::create_directory(weir.parent_path());
    fs::permissions(weir.parent_path(), fs::perms::owner_all);
  }
};

}  // namespace

TEST_SUITE("store: where the private PostgreSQL lies") {
  TEST_CASE("it lies beside flows.yaml and nobody else can enter") {
    const ProjectFolder project;
    const auto server = LocalPostgres::open(project.weir(), not_durable);
    REQUIRE(server);
    CHECK(server->cluster() == project.weir() / "postgres");
    CHECK(fs::status(server->cluster()).permissions() == fs::perms::owner_all);
  }

  TEST_CASE("a path too long for a socket puts the socket into /tmp while the server runs") {
    const ProjectFolder project;
    const fs::path folder = project.path() / std::string(100, 'x') / ".weir";
    fs::path socket;
    {
      const auto server = LocalPostgres::open(folder, not_durable);
      REQUIRE(server);
      CHECK(answers(*server));
      const std::string host = server->url().substr(server->url().find("host=") + 5);
      socket = host.substr(0, host.find('&'));
      CHECK(socket.parent_path() == "/tmp");
      CHECK(fs::status(socket).permissions() == fs::perms::owner_all);
      CHECK(server->cluster() == folder / "postgres");
    }
    CHECK_FALSE(fs::exists(socket));
  }

  TEST_CASE("a folder may have any name") {
    const ProjectFolder project;
    const auto server =
        LocalPostgres::open(project.path() / "it's \"50%\", größe & #1?", not_durable);
    REQUIRE_MESSAGE(server, weir::to_string(server.error()));
    CHECK(answers(*server));
  }

  TEST_CASE(
      "as root a folder the server cannot reach gets its cluster elsewhere and names the place") {
    const SecludedProject secluded;
    fs::path place;
    {
      const auto server = LocalPostgres::open(secluded.weir, secluded.apart);
      REQUIRE_MESSAGE(server, weir::to_string(server.error()));
      AdminSession(server->url()).run("create table kept()");
      place = server->cluster();
    }
    if (geteuid() != 0) {
      CHECK(place == secluded.weir / "postgres");  // the server's user is ours and can
      return;
    }
    CHECK(place.parent_path() == secluded.apart.elsewhere);
    std::string named;
    std::getline(std::ifstream(secluded.weir / "postgres.elsewhere"), named);
    CHECK(named == place.string());
    const auto again = LocalPostgres::open(secluded.weir, secluded.apart);
    REQUIRE(again);
    CHECK(AdminSession(again->url()).run("select * from kept").empty());
  }

  TEST_CASE("a named place that is gone is said and nothing begins anew") {
    const ProjectFolder project;
    fs::create_directory(project.weir());
    const fs::path pointer = project.weir() / "postgres.elsewhere";
    std::ofstream(pointer) << "/nowhere/at/all\n";
    const auto server = LocalPostgres::open(project.weir(), not_durable);
    REQUIRE_FALSE(server);
    CHECK(server.error().kind == "folder_unusable");
    CHECK(server.error().message == "\"" + pointer.string() +
                                        "\" says that the database is in \"/nowhere/at/all\", "
                                        "which is not there");
  }
}
