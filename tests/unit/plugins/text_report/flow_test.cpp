#include <string>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/command_output.hpp"
#include "unit/plugins/flow_run.hpp"

namespace {

using weir::testing::command_output;
using weir::testing::FlowRun;
using weir::testing::TemporaryFolder;

std::string run(const std::string& folder) {
  return FlowRun("{\"folder\": \"" + folder + "\"}").result();
}

}  // namespace

TEST_SUITE("plugins: text_report") {
  TEST_CASE("the report ranks what can be counted and tells what cannot") {
    const TemporaryFolder folder;
    folder.write("a.txt", "A weir.\n");
    folder.write("sub/b.txt", "The river and the weir\nand the sea");
    folder.write("binary", std::string("\0", 1));
    folder.write("caf\xE9", "text");
    CHECK(run(folder.path()) ==
          "{\"total\":{\"files\":2,\"words\":10,\"lines\":2,\"bytes\":42},"
          "\"files\":[{\"path\":\"sub/b.txt\",\"words\":8,\"lines\":1,\"bytes\":34,"
          "\"terms\":[[\"the\",3],[\"and\",2],[\"river\",1],[\"sea\",1],[\"weir\",1]]},"
          "{\"path\":\"a.txt\",\"words\":2,\"lines\":1,\"bytes\":8,\"terms\":[[\"a\",1],[\"weir\","
          "1]]}],"
          "\"skipped\":[{\"path\":\"binary\",\"error\":\"not text: byte 0 is NUL\"},"
          "{\"path\":\"caf\\\\xE9\",\"error\":\"its name is not valid UTF-8\"}]}");
  }

  TEST_CASE("an empty folder has an empty report") {
    const TemporaryFolder folder;
    CHECK(run(folder.path()) ==
          "{\"total\":{\"files\":0,\"words\":0,\"lines\":0,\"bytes\":0},\"files\":[],\"skipped\":[]"
          "}");
  }

  TEST_CASE("a folder that is not there fails for good") {
    CHECK(run("/nowhere") ==
          "list: no_folder: cannot list the folder /nowhere: No such file or directory");
  }

  TEST_CASE("the licence texts are totalled as wc totals them") {
    const std::string folder = "/usr/share/common-licenses";
    const boost::json::value report = boost::json::parse(run(folder));
    const auto& total = report.at("total");
    const std::string counted = std::to_string(total.at("lines").as_int64()) + " " +
                                std::to_string(total.at("words").as_int64()) + " " +
                                std::to_string(total.at("bytes").as_int64()) + "\n";
    CHECK(counted ==
          command_output("find " + folder +
                         " -type f -exec cat {} + | LC_ALL=C wc | tr -s ' ' | sed 's/^ //'"));
    CHECK(total.at("files").as_int64() > 5);
    CHECK(report.at("skipped").as_array().empty());
  }
}
