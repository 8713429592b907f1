#include "plugins/nightly_report/inventory.hpp"

#include <fstream>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

using nightly_report::inventory;

TEST_SUITE("plugins: nightly_report") {
  TEST_CASE("files are summed by ending and the largest comes first") {
    const weir::testing::TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "deep");
    std::ofstream(folder.path() / "a.txt") << "12345";
    std::ofstream(folder.path() / "deep" / "b.txt") << "12345";
    std::ofstream(folder.path() / "c.md") << "123";
    std::ofstream(folder.path() / "README") << "123";
    std::filesystem::create_symlink(folder.path() / "a.txt", folder.path() / "link.txt");
    int looks = 0;
    const auto found = inventory(folder.path(), [&] { ++looks; });
    REQUIRE(found.size() == 3);
    CHECK(found[0].ending == ".txt");
    CHECK(found[0].files == 2);
    CHECK(found[0].bytes == 10);
    CHECK(found[1].ending == "");
    CHECK(found[2].ending == ".md");
    CHECK(looks >= 5);
  }
}
