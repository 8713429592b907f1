#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "support/temporary_folder.hpp"

using weir::testing::FlowRunner;
using weir::testing::TemporaryFolder;

TEST_SUITE("plugins: nightly_report") {
  TEST_CASE("the report of the day is one file whole and again the same") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "data");
    std::ofstream(folder.path() / "data" / "a.txt") << "12345";
    const std::string order = R"({"folder": ")" + (folder.path() / "data").string() +
                              R"(", "reports": ")" + (folder.path() / "reports").string() + "\"}";
    FlowRunner flow(weir_plugin_v1);
    CHECK(flow.run(order).completed());
    CHECK(flow.run(order).completed());
    std::size_t reports = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder.path() / "reports")) {
      CHECK(file.path().extension() == ".md");
      std::ifstream text(file.path());
      CHECK(std::string(std::istreambuf_iterator<char>(text), {}).contains("| .txt | 1 | 5 |"));
      ++reports;
    }
    CHECK(reports >= 1);  // midnight may pass in between
  }

  TEST_CASE("a folder that is none fails for good") {
    CHECK(FlowRunner(weir_plugin_v1).run(R"({"folder": "/none", "reports": "/none"})").error() ==
          "step \"collect\" failed for good: /none is no folder");
  }
}
