#include <cstdint>
#include <map>
#include <variant>

#include <doctest/doctest.h>

#include <weir/json.hpp>

namespace {
struct Narrow {
  int id;
};
WEIR_JSON(Narrow, id)

struct Wide {
  std::int64_t id;
  std::string name;
};
WEIR_JSON(Wide, id, name)

struct Lenient {
  double id;
  std::optional<std::string> name;
};
WEIR_JSON(Lenient, id, name)

struct Tree {
  std::vector<Tree> children;
};
WEIR_JSON(Tree, children)

struct Bush {
  int age;
  std::vector<Bush> children;
};
WEIR_JSON(Bush, age, children)

template <class Given, class Taken>
constexpr bool fits =
    weir::sdk::fits(weir::sdk::Codec<Given>::shape, weir::sdk::Codec<Taken>::shape);
using Any = boost::json::value;
}  // namespace

TEST_SUITE("sdk: what fits what") {
  TEST_CASE("scalars fit their own kind, and an integer fits a number") {
    CHECK(fits<int, std::uint64_t>);
    CHECK(fits<int, double>);
    CHECK_FALSE(fits<double, int>);
    CHECK(fits<std::string_view, std::string>);
    CHECK_FALSE(fits<int, std::string>);
    CHECK_FALSE(fits<bool, int>);
    CHECK(fits<std::monostate, std::monostate>);
  }

  TEST_CASE("anything fits and is fitted by everything") {
    CHECK(fits<Any, Wide>);
    CHECK(fits<Wide, Any>);
    CHECK(fits<std::vector<Any>, std::vector<int>>);
  }

  TEST_CASE("what may be null fits only what takes null") {
    CHECK(fits<int, std::optional<int>>);
    CHECK(fits<std::monostate, std::optional<int>>);
    CHECK(fits<std::optional<int>, std::optional<double>>);
    CHECK_FALSE(fits<std::optional<int>, int>);
    CHECK_FALSE(fits<std::optional<std::string>, std::optional<int>>);
  }

  TEST_CASE("an object fits when every member that is asked for is there and fits") {
    CHECK(fits<Wide, Narrow>);
    CHECK_FALSE(fits<Narrow, Wide>);
    CHECK(fits<Narrow, Lenient>);
    CHECK(fits<Wide, Lenient>);
    CHECK_FALSE(fits<Lenient, Wide>);
    CHECK_FALSE(fits<std::string, Narrow>);
  }

  TEST_CASE("arrays fit by element and by length where both have one") {
    CHECK(fits<std::vector<int>, std::vector<double>>);
    CHECK_FALSE(fits<std::vector<double>, std::vector<int>>);
    CHECK(fits<std::array<int, 2>, std::vector<int>>);
    CHECK(fits<std::array<int, 2>, std::array<int, 2>>);
    CHECK_FALSE(fits<std::array<int, 2>, std::array<int, 3>>);
    CHECK(fits<std::pair<int, int>, std::vector<int>>);
    CHECK_FALSE(fits<std::pair<int, bool>, std::vector<int>>);
    CHECK(fits<std::pair<int, std::string>, std::tuple<double, std::string>>);
    CHECK_FALSE(fits<std::pair<int, int>, std::tuple<int>>);
    CHECK(fits<std::array<int, 2>, std::pair<int, int>>);
    CHECK_FALSE(fits<std::array<int, 3>, std::pair<int, int>>);
    CHECK_FALSE(fits<std::pair<int, int>, std::array<int, 3>>);
    CHECK_FALSE(fits<int, std::vector<int>>);
  }

  TEST_CASE("a dictionary fits by value and its keys are left to the run") {
    CHECK(fits<std::map<std::string, int>, std::map<std::string, double>>);
    CHECK(fits<Narrow, std::map<std::string, int>>);
    CHECK_FALSE(fits<Wide, std::map<std::string, int>>);
    CHECK(fits<std::map<std::string, int>, Narrow>);
    CHECK_FALSE(fits<std::map<std::string, int>, Wide>);
  }

  TEST_CASE("types that contain themselves are compared all the same") {
    CHECK(fits<Tree, Tree>);
    CHECK(fits<Bush, Tree>);
    CHECK_FALSE(fits<Tree, Bush>);
  }
}
