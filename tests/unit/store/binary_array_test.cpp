#include "store/postgres/binary_array.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace weir;
using namespace weir::postgres;
using namespace std::chrono_literals;

namespace {

std::string hex(BinaryArray array) {
  std::string text;
  const std::string bytes = std::move(array).bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    text += fmt::format("{}{:02x}", i > 0 && i % 4 == 0 ? " " : "",
                        static_cast<unsigned char>(bytes[i]));
  return text;
}

}  // namespace

TEST_SUITE("postgres: binary arrays") {
  TEST_CASE("an array of nothing has no dimension") {
    CHECK(hex(BinaryArray(ElementType::bigint)) == "00000000 00000000 00000014");
    CHECK(BinaryArray(ElementType::bigint).is_null());
  }

  TEST_CASE("numbers have the width of their type and NULL has none") {
    BinaryArray array(ElementType::smallint);
    array.add(std::int64_t{-2});
    array.add_null();
    CHECK_FALSE(array.is_null());
    CHECK(hex(std::move(array)) ==
          "00000001 00000001 00000015 00000002 00000001 00000002 fffeffff ffff");
    BinaryArray one(ElementType::integer);
    one.add(std::uint64_t{7});
    CHECK(hex(std::move(one)) == "00000001 00000000 00000017 00000001 00000001 00000004 00000007");
  }

  TEST_CASE("a number that does not fit has another width, which the database refuses") {
    BinaryArray array(ElementType::smallint);
    array.add(32'768);
    CHECK(hex(std::move(array)) ==
          "00000001 00000000 00000015 00000001 00000001 00000008 00000000 00008000");
  }

  TEST_CASE("JSON goes as its text") {
    BinaryArray text(ElementType::text);
    text.add(Json::trusted("[]"));
    CHECK(hex(std::move(text)) == "00000001 00000000 00000019 00000001 00000001 00000002 5b5d");
  }

  TEST_CASE("times are microseconds since 2000") {
    BinaryArray array(ElementType::timestamptz);
    array.add(Time{946'684'800'000'001us});
    CHECK(hex(std::move(array)) ==
          "00000001 00000000 000004a0 00000001 00000001 00000008 00000000 00000001");
  }

  TEST_CASE("an array of NULLs alone is known as one") {
    BinaryArray array(ElementType::text);
    array.add(std::optional<Json>());
    array.add_null();
    CHECK(array.is_null());
    array.add_text("");
    CHECK_FALSE(array.is_null());
  }
}
