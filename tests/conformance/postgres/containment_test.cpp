#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "run/conditions.hpp"
#include "support/admin_session.hpp"
#include "support/seeds.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

using Random = std::mt19937_64;

std::size_t below(std::size_t limit, Random& random) { return random() % limit; }

// Few of them, so that they meet: the same value in several spellings, and near misses.
std::string random_scalar(Random& random) {
  constexpr std::array<const char*, 28> scalars = {"null",
                                                   "true",
                                                   "false",
                                                   "0",
                                                   "-0",
                                                   "0.0",
                                                   "-0e7",
                                                   "1",
                                                   "1.0",
                                                   "10e-1",
                                                   "0.1e+1",
                                                   "-1",
                                                   "100",
                                                   "1E2",
                                                   "1.00E+2",
                                                   "9007199254740993",
                                                   "9007199254740992",
                                                   "9007199254740993.0",
                                                   "0.1",
                                                   "0.1000000000000000055",
                                                   "1e-300",
                                                   "1e300",
                                                   R"("a")",
                                                   R"("\u0061")",
                                                   R"("1")",
                                                   R"("")",
                                                   R"("\ud83c\udf0a")",
                                                   R"("🌊")"};
  return scalars.at(below(scalars.size(), random));
}

std::string random_key(Random& random) {
  constexpr std::array<const char*, 5> keys = {R"("a")", R"("\u0061")", R"("b")", R"("")",
                                               R"("é")"};
  return keys.at(below(keys.size(), random));
}

std::string random_value(int depth, Random& random) {
  const std::size_t kind = below(depth > 0 ? 3 : 1, random);
  if (kind == 0) return random_scalar(random);
  std::string text;
  for (std::size_t count = below(4, random); count > 0; --count) {
    if (!text.empty()) text += ", ";
    if (kind == 2) text += random_key(random) + ": ";
    text += random_value(depth - 1, random);
  }
  return kind == 1 ? "[" + text + "]" : "{" + text + "}";
}

// What is left of a value when parts of it are dropped, doubled or replaced: contained as often as
// not.
std::string random_part(const Json& value, Random& random) {
  if (below(12, random) == 0) return random_value(1, random);
  std::vector<std::string> parts;
  switch (value.type()) {
    case JsonType::array:
      for (const Json& element : value.elements()) {
        if (below(3, random) == 0) continue;
        parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(below(parts.size() + 1, random)),
                     random_part(element, random));
      }
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case JsonType::object:
      for (const auto& [key, member] : value.members())
        if (below(3, random) > 0)
          parts.push_back(json_quoted(key) + ": " + random_part(member, random));
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
    default:
      return std::string(value.text());
  }
}

struct Pair {
  std::string value, pattern;
};

Pair random_pair(Random& random) {
  Pair pair{.value = random_value(3, random), .pattern = {}};
  const Json value = Json::parse(pair.value).value();
  const std::vector<Json> elements = value.elements();
  pair.pattern = !elements.empty() && below(4, random) == 0
                     ? random_part(elements[below(elements.size(), random)], random)
                     : random_part(value, random);
  return pair;
}

std::vector<bool> answers(AdminSession& session, const std::vector<Pair>& pairs) {
  std::string values;
  for (const auto& [value, pattern] : pairs)
    values += fmt::format("{}($j${}$j$, $j${}$j$)", values.empty() ? "" : ", ", value, pattern);
  std::vector<bool> contained;
  for (const std::string& answer :
       session.run("select value::jsonb @> pattern::jsonb from (values " + values +
                   ") with_ordinality (value, pattern)"))
    contained.push_back(answer == "t");
  return contained;
}

}  // namespace

TEST_SUITE("postgres: containment") {
  TEST_CASE("F7: a condition holds exactly where PostgreSQL's containment does") {
    AdminSession session(database());
    for_seeds(4, [&](Random& random) {
      std::vector<Pair> pairs;
      for (int i = 0; i < 500; ++i) pairs.push_back(random_pair(random));
      const std::vector<bool> expected = answers(session, pairs);
      REQUIRE(expected.size() == pairs.size());
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        INFO(pairs[i].value << " @> " << pairs[i].pattern);
        REQUIRE(contains(Json::parse(pairs[i].value).value(),
                         Json::parse(pairs[i].pattern).value()) == expected[i]);
      }
      const auto contained = std::ranges::count(expected, true);
      CHECK(contained > 100);
      CHECK(contained < 450);
    });
  }
}
