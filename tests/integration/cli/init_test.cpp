// A newcomer's first five minutes: weir init, build, run.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <signal.h>

#include "support/program.hpp"
#include "support/temporary_folder.hpp"

using weir::testing::Ran;
namespace fs = std::filesystem;

namespace {

Ran cmake(const std::vector<std::string>& arguments, const fs::path& folder) {
  const Ran ran = weir::testing::run_program(WEIR_CMAKE, arguments, {.folder = folder});
  if (ran.code != 0) FAIL(ran.out << ran.err);
  return ran;
}

/// Where Weir is installed: by ctest, else by us into `folder`.
fs::path installed(const fs::path& folder) {
  if (const char* prefix = std::getenv("WEIR_INSTALLED")) return prefix;
  for (const char* component : {"program", "sdk"})
    cmake({"--install", WEIR_BUILD_DIR, "--prefix", folder.string(), "--component", component},
          ".");
  return folder;
}

}  // namespace

TEST_SUITE_BEGIN("cli: weir init");

TEST_CASE("what init leaves builds against the installed Weir and runs at once") {
  const weir::testing::TemporaryFolder folder;
  const fs::path prefix = installed(folder.path() / "installed");
  const fs::path shop = folder.path() / "shop";
  const std::string weir = (prefix / "bin/weir").string();
  const auto run = [&](const std::vector<std::string>& arguments) {
    return weir::testing::run_program(weir, arguments, {.folder = shop});
  };

  REQUIRE(weir::testing::run_program(weir, {"init", "shop"}, {.folder = folder.path()}).code == 0);
  CHECK(run({"flows", "list"}).err ==
        "weir: note: no flows in plugins (\"weir init\" writes a first one)\n");
  cmake({"-G", "Ninja", "-S", "src", "-B", "build", "-DCMAKE_PREFIX_PATH=" + prefix.string(),
         "-DCMAKE_CXX_COMPILER=" WEIR_CXX_COMPILER, "-DCMAKE_CXX_FLAGS=" WEIR_CXX_FLAGS},
        shop);
  CHECK(cmake({"--build", "build"}, shop).out.contains("/plugins/hello.so: ok\n"));

  CHECK(run({"flows", "show", "hello"}).out.contains("\ngreet --> shout\n"));
  CHECK(run({"flows", "show", "first.Hello"}).code == 0);
  weir::testing::Running serve(weir, {"serve"}, shop, shop / "serve.log");
  const Ran done = run({"start", "hello", "--input", R"({"name": "Ada"})", "--wait"});
  CHECK(done.code == 0);
  CHECK(done.out.contains(R"(output   {"shout": {"text": "HELLO, ADA!"}})"));
  CHECK(run({"doctor"}).code == 0);
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
}
