#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <unordered_map>

#include <doctest/doctest.h>

#include <weir/json.hpp>

namespace shop {
struct Item {
  std::string sku;
  int cents;
  std::optional<std::string> note;
  friend bool operator==(const Item&, const Item&) = default;
};
WEIR_JSON(Item, sku, cents, note)

struct Order {
  std::int64_t id;
  std::vector<Item> items;
  std::map<std::string, double> weights;
  std::array<bool, 2> flags;
  std::pair<std::string, unsigned> best;
  friend bool operator==(const Order&, const Order&) = default;
};
WEIR_JSON(Order, id, items, weights, flags, best)

struct Empty {};
WEIR_JSON(Empty)

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
WEIR_JSON(Tree, name, children)
}  // namespace shop

namespace {
struct ThirtyTwo {  // as many members as WEIR_JSON promises
  int a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8;
  int c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4, d5, d6, d7, d8;
};
WEIR_JSON(ThirtyTwo, a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8,  //
          c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4, d5, d6, d7, d8)

// What reading `text` as T says.
template <class T>
std::string refusal(std::string_view text) {
  try {
    weir::from_json<T>(text);
  } catch (const weir::json_error& error) {
    return error.what();
  }
  return "accepted";
}

// Whether `value` is written as `text` and read back as itself.
template <class T>
void round_trip(const T& value, std::string_view text) {
  CHECK(weir::to_json(value) == text);
  CHECK(weir::from_json<T>(text) == value);
}
}  // namespace

TEST_SUITE("sdk: json") {
  TEST_CASE("a described type is an object and reads back as itself") {
    const shop::Order order{7,
                            {{"a-1", 250, std::nullopt}, {"b\"2", 99, "gift"}},
                            {{"a-1", 0.5}, {"b", 2}},
                            {true, false},
                            {"a-1", 3}};
    round_trip(order, R"({"id":7,"items":[{"sku":"a-1","cents":250,"note":null},)"
                      R"({"sku":"b\"2","cents":99,"note":"gift"}],"weights":{"a-1":0.5,"b":2.0},)"
                      R"("flags":[true,false],"best":["a-1",3]})");
  }

  TEST_CASE("members may stand in any order beside others that the type does not have") {
    const auto item = weir::from_json<shop::Item>(R"({"x":{"y":[1]},"cents":1,"sku":"s"})");
    CHECK(item == shop::Item{"s", 1, std::nullopt});
  }

  TEST_CASE("thirty-two members and none are both fine") {
    std::string text = weir::to_json(ThirtyTwo{});
    CHECK(weir::to_json(weir::from_json<ThirtyTwo>(text)) == text);
    CHECK(weir::from_json<ThirtyTwo>(text.replace(text.rfind('0'), 1, "5")).d8 == 5);
    CHECK(weir::to_json(shop::Empty{}) == "{}");
    CHECK(refusal<shop::Empty>("[]") == "expected an object, got an array");
  }

  TEST_CASE("a type may contain itself") {
    const std::string text =
        R"({"name":"a","children":[{"name":"b","children":[]},{"name":"c","children":[]}]})";
    CHECK(weir::to_json(weir::from_json<shop::Tree>(text)) == text);
  }

  TEST_CASE("every kind of value reads back as itself") {
    round_trip(std::string(), R"("")");
    round_trip(std::string("\x01\t\\\"\u00e9\U0001f600"),
               "\"\\u0001\\u0009\\\\\\\"\u00e9\U0001f600\"");
    round_trip(true, "true");
    round_trip(std::monostate(), "null");
    round_trip(std::optional<int>(), "null");
    round_trip(std::vector<std::vector<int>>{{1}, {}}, "[[1],[]]");
    round_trip(std::vector<bool>{true, false}, "[true,false]");
    round_trip(std::map<std::string, int>(), "{}");
    round_trip(std::unordered_map<std::string, int>{{"k/~", 1}}, R"({"k/~":1})");
    round_trip(std::tuple<int, std::string, bool>{1, "b", true}, R"([1,"b",true])");
    const std::string mixed = R"({"a":[1,2.5,null,"s",{"b":false}],"e":[],"o":{}})";
    round_trip(weir::from_json<boost::json::value>(mixed), mixed);
  }

  TEST_CASE("views and literals can be written") {
    CHECK(weir::to_json(std::string_view("a")) == R"("a")");
    const std::vector<const char*> words{"a", "b"};
    CHECK(weir::to_json(words) == R"(["a","b"])");
  }

  TEST_CASE("P8: integers of 64 bits pass unchanged") {
    round_trip(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
    round_trip(std::numeric_limits<std::int64_t>::max(), "9223372036854775807");
    round_trip(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
    for (const char* text : {"-9223372036854775808", "9007199254740993", "18446744073709551615"})
      CHECK(weir::to_json(weir::from_json<boost::json::value>(text)) == text);
  }

  TEST_CASE("an integer out of the range of its type is refused rather than cut") {
    CHECK(refusal<std::int8_t>("128") == "expected an integer from -128 to 127, got 128");
    CHECK(refusal<unsigned>("-1") == "expected an integer from 0 to 4294967295, got -1");
    CHECK(refusal<std::int64_t>("9223372036854775808") ==
          "expected an integer from -9223372036854775808 to 9223372036854775807, got "
          "9223372036854775808");
    CHECK(refusal<std::uint64_t>("18446744073709551616") ==
          "expected an integer from 0 to 18446744073709551615, got 18446744073709551616.0");
    CHECK(refusal<int>("1.5") == "expected an integer from -2147483648 to 2147483647, got 1.5");
    CHECK(weir::from_json<int>("3.0") == 3);
    CHECK(weir::from_json<std::int64_t>("-1e3") == -1000);
  }

  TEST_CASE("a double takes any number and writes one that reads back as itself") {
    CHECK(weir::from_json<double>("99") == 99.0);
    CHECK(weir::from_json<double>("18446744073709551615") == 18446744073709551615.0);
    round_trip(99.0, "99.0");
    round_trip(2.5, "2.5");
    round_trip(-0.0, "-0.0");
    CHECK(std::signbit(weir::from_json<double>("-0.0")));
    round_trip(1e22, "1e+22");
    round_trip(5e-324, "5e-324");
    round_trip(0.1F, "0.1");
    CHECK(weir::from_json<double>("1e-999") == 0.0);
  }

  TEST_CASE("P8: doubles of 17 digits pass unchanged") {
    round_trip(0.1 + 0.2, "0.30000000000000004");
    std::mt19937_64 bits(20240607);  // the same doubles in every run
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t pattern = bits();
      double number = 0;
      std::memcpy(&number, &pattern, sizeof number);
      if (!std::isfinite(number)) continue;
      const std::string text = weir::to_json(number);
      CAPTURE(text);
      REQUIRE(weir::from_json<double>(text) == number);
      REQUIRE(weir::to_json(weir::from_json<boost::json::value>(text)) == text);
    }
  }

  TEST_CASE("what JSON cannot hold is refused with its place") {
    std::vector<std::map<std::string, double>> numbers{{}, {{"a/b~c", std::nan("")}}};
    CHECK_THROWS_WITH_AS(weir::to_json(numbers), "/1/a~1b~0c: NaN is not a JSON number",
                         weir::json_error);
    CHECK_THROWS_WITH_AS(weir::to_json(-std::numeric_limits<float>::infinity()),
                         "infinity is not a JSON number", weir::json_error);
    CHECK(refusal<float>("1e39") == "expected a number a float can hold");
    CHECK(refusal<double>("1e999") ==
          "JSON that cannot be kept: at byte 5: the number is out of range: a double holds at most "
          "1.8e308");
  }

  TEST_CASE("a value of the wrong type is refused with its place as a JSON pointer") {
    CHECK(refusal<shop::Order>(R"({"id":1,"items":[{"sku":"a","cents":1},{"sku":2,"cents":1}]})") ==
          "/items/1/sku: expected a string, got a number");
    CHECK(refusal<shop::Order>(R"({"id":1,"items":[{"sku":"a"}]})") ==
          "/items/0/cents: expected an integer, got nothing");
    CHECK(refusal<shop::Order>(R"({"id":1,"items":{}})") ==
          "/items: expected an array, got an object");
    CHECK(refusal<shop::Item>(R"({"sku":"s","cents":1,"note":false})") ==
          "/note: expected a string, got a boolean");
    CHECK(refusal<std::map<std::string, int>>(R"({"a/b~c":"x"})") ==
          "/a~1b~0c: expected an integer from -2147483648 to 2147483647, got a string");
    CHECK(refusal<std::array<int, 2>>("[1]") == "expected an array of 2, got one of 1");
    CHECK(refusal<std::pair<int, int>>("[1,null]") ==
          "/1: expected an integer from -2147483648 to 2147483647, got null");
    CHECK(refusal<bool>("0") == "expected a boolean, got a number");
    CHECK(refusal<double>(R"("1")") == "expected a number, got a string");
    CHECK(refusal<std::monostate>("0") == "expected null, got a number");
  }

  TEST_CASE("text that is no JSON is refused with the byte") {
    CHECK(refusal<int>("") == "not JSON: at byte 0: incomplete JSON");
    CHECK(refusal<int>("[1,") == "not JSON: at byte 3: incomplete JSON");
    CHECK(refusal<int>("1 2") == "not JSON: at byte 2: something follows after the value");
    CHECK(refusal<int>(std::string(501, '[')) ==
          "JSON that cannot be kept: at byte 500: nested more than 500 deep");
    CHECK(refusal<boost::json::value>(std::string(500, '[') + std::string(500, ']')) == "accepted");
  }
}
