#include "base/file_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

using namespace weir;

TEST_SUITE("base: file bytes") {
  TEST_CASE("a file's bytes are all of it, whatever its size") {
    const weir::testing::TemporaryFolder folder;
    for (const std::size_t size :
         std::initializer_list<std::size_t>{0, 1, 65'535, 65'536, 65'537, 1'000'000}) {
      std::string bytes(size, 'x');
      if (!bytes.empty()) bytes.back() = '\0';
      CHECK(file_bytes(folder.write("file", bytes)) == bytes);
    }
  }

  TEST_CASE("a file of which the system does not know the size is read to its end") {
    CHECK(file_bytes("/proc/self/status").contains("\nVmSize:"));
  }

  TEST_CASE("a file that is larger than it may be has no bytes, whatever size it claims") {
    const weir::testing::TemporaryFolder folder;
    const auto file = folder.write("file", std::string(1'000, 'x'));
    CHECK(file_bytes(file, 1'000).size() == 1'000);
    CHECK(file_bytes(file, 999).empty());
    CHECK(file_bytes("/proc/self/status", 10).empty());
    std::filesystem::resize_file(file, std::uintmax_t{1} << 40U);  // a hole
    CHECK(file_bytes(file, 1'000'000).empty());
  }

  TEST_CASE("a file that is not there, or is a folder, has no bytes") {
    CHECK(file_bytes("/no/such/file").empty());
    CHECK(file_bytes("/proc").empty());
  }
}
