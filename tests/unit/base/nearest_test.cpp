#include "base/nearest.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <doctest/doctest.h>

namespace weir {
namespace {

using Words = std::vector<std::string>;

std::string found(std::string_view wanted, const Words& candidates) {
  return nearest(wanted, candidates).value_or("(none)");
}

// The definition of optimal string alignment, written down as it stands in the books.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

TEST_SUITE("base: nearest name") {
  TEST_CASE("a slip of the fingers is seen through") {
    const Words flows = {"order_totals", "process_order", "text_report"};
    CHECK(found("proces_order", flows) == "process_order");
    CHECK(found("process_ordre", flows) == "process_order");
    CHECK(found("ProcessOrder", flows) == "process_order");
    CHECK(found("TEXT_REPORT", flows) == "text_report");
    CHECK(found("text-reports", flows) == "text_report");
  }

  TEST_CASE("what is not near is not offered") {
    CHECK(found("invoice", {"order_totals", "process_order"}) == "(none)");
    CHECK(found("a", {"bcd"}) == "(none)");
    CHECK(found("x", {}) == "(none)");
    CHECK(found("", {"ab"}) == "(none)");
    CHECK(found(std::string(257, 'a'), {std::string(257, 'a')}) == "(none)");
  }

  TEST_CASE("a word that is the beginning of another stands for it unless a third is nearer") {
    CHECK(found("timeout", {"max_delay_ms", "timeout_ms"}) == "timeout_ms");
    CHECK(found("time", {"timeout_ms", "times"}) == "times");
    CHECK(found("ti", {"timeout_ms"}) == "(none)");
  }

  TEST_CASE("of equally near names the first is offered") {
    CHECK(found("stap", {"stop", "step"}) == "stop");
    CHECK(found("stap", {"step", "stop"}) == "step");
  }

  TEST_CASE("a hint is a question and else what the caller says") {
    const Words kinds = {"single", "map"};
    CHECK(did_you_mean("mpa", kinds) == "did you mean \"map\"?");
    CHECK(did_you_mean("parallel", kinds) == "");
    CHECK(did_you_mean("parallel", kinds, "the kinds are single and map") ==
          "the kinds are single and map");
  }

  TEST_CASE("what is offered has the least edits there are") {
    for (unsigned seed = 1; seed <= 2'000; ++seed) {
      CAPTURE(seed);
      std::mt19937 random(seed);
      const auto word = [&] {
        std::string text(1 + random() % 14, 'a');
        for (char& c : text) c = static_cast<char>('a' + random() % 3);
        return text;
      };
      const std::string wanted = word();
      Words candidates;
      for (int i = 0; i < 5; ++i) candidates.push_back(word());
      const std::string& best = *std::ranges::min_element(
          candidates, {}, [&](const std::string& candidate) { return edits(wanted, candidate); });
      const std::size_t allowed = std::max<std::size_t>(1, wanted.size() / 3);
      CAPTURE(wanted);
      if (edits(wanted, best) <= allowed)
        CHECK(found(wanted, candidates) == best);
      else if (const auto offered = nearest(wanted, candidates))
        CHECK(offered->starts_with(wanted));
    }
  }
}

}  // namespace weir
