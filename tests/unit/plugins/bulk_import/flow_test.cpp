#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "support/temporary_folder.hpp"

using weir::testing::FlowRunner;
using weir::testing::TemporaryFolder;

namespace {

auto import(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder.path() / "rows.csv") << text;
  return FlowRunner(weir_plugin_v1)
      .run(R"({"customer_id": "acme", "file": ")" + (folder.path() / "rows.csv").string() + "\"}");
}

}  // namespace

TEST_SUITE("plugins: bulk_import") {
  TEST_CASE("lines that are wrong are counted and told with their number") {
    const TemporaryFolder folder;
    const auto run = import(folder, "email,amount\na@b,1.5\nc,2\n\"d@e\",x\nf@g,2,3\nh@i,2.5\n");
    CHECK(run.output() == R"({"summary":{"rows":5,"refused":3,"total":4.0,"errors":[)"
                          R"("line 3: \"c\" is no mail address","line 4: \"x\" is no amount",)"
                          R"("line 5: 3 fields instead of 2"]}})");
  }

  TEST_CASE("P5: a file without lines is an import of nothing") {
    const TemporaryFolder folder;
    CHECK(import(folder, "email,amount\n").output() ==
          R"({"summary":{"rows":0,"refused":0,"total":0.0,"errors":[]}})");
  }

  TEST_CASE("a file of another kind fails for good") {
    const TemporaryFolder folder;
    CHECK(import(folder, "name\n").error() ==
          "step \"read\" failed for good: the first line must be email,amount");
  }
}
