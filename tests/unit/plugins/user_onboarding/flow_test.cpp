#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "support/temporary_folder.hpp"

using namespace std::chrono_literals;
using weir::testing::FlowRunner;
using weir::testing::TemporaryFolder;

namespace {

std::string user(const TemporaryFolder& folder, const std::string& email = "ada@example.org") {
  return R"({"name": "Ada", "email": ")" + email + R"(", "outbox": ")" +
         (folder.path() / "outbox").string() + "\"}";
}

std::size_t mails(const TemporaryFolder& folder, const std::string& ending) {
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path() / "outbox"))
    if (file.path().string().ends_with(ending)) ++count;
  return count;
}

}  // namespace

TEST_SUITE("plugins: user_onboarding") {
  TEST_CASE("D4: who never logs in is reminded after three days and asked after two weeks more") {
    const TemporaryFolder folder;
    const auto run = FlowRunner(weir_plugin_v1).run(user(folder));
    CHECK(run.completed());
    CHECK(run.elapsed() == 72h + 336h);
    CHECK(run.attempts("tips").empty());
    CHECK(mails(folder, "-welcome.eml") == 1);
    CHECK(mails(folder, "-reminder.eml") == 1);
    CHECK(mails(folder, "-survey.eml") == 1);
  }

  TEST_CASE("C4: who logs in is given tips and a retry sends no second mail") {
    const TemporaryFolder folder;
    FlowRunner flow(weir_plugin_v1);
    flow.signal("first_login", "null", 1h);
    flow.lose("tips");
    const auto run = flow.run(user(folder));
    CHECK(run.completed());
    CHECK(run.attempts("tips").size() == 2);
    CHECK(mails(folder, "-tips.eml") == 1);
    CHECK(mails(folder, "-reminder.eml") == 0);
    CHECK(mails(folder, ".draft") == 0);
  }

  TEST_CASE("an address that is none fails at once") {
    const TemporaryFolder folder;
    CHECK(FlowRunner(weir_plugin_v1).run(user(folder, "ada")).error() ==
          "step \"welcome\" failed for good: \"ada\" is no mail address");
  }
}
