#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "run/outcome_rules.hpp"

namespace {

using weir::AfterRow;
using weir::OutcomeRule;

std::string_view words(AfterRow after) {
  switch (after) {
    case AfterRow::complete:
      return "completed";
    case AfterRow::retry:
      return "ready again, or given up";
    case AfterRow::fail:
      return "given up";
    case AfterRow::requeue:
      return "ready again";
    case AfterRow::skip:
      return "skipped";
  }
  return "";
}

std::string table() {
  std::string text = "| # | Outcome | When | Charged | Then the task is |\n|---|---|---|---|---|\n";
  for (const OutcomeRule& rule : weir::outcome_rules)
    text += fmt::format("| {} | `{}` | {} | {} | {} |\n", static_cast<int>(rule.outcome),
                        name(rule.outcome), rule.when,
                        rule.charged         ? "yes"
                        : rule.lost          ? "as a loss"
                        : rule.resets_counts ? "no: all before it is forgiven"
                                             : "no",
                        words(rule.after));
  return text;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t at = text.find(begin);
  REQUIRE(at != std::string::npos);
  const std::size_t from = at + begin.size();
  return text.substr(from, text.find(end) - from);
}

}  // namespace

TEST_SUITE("docs: states") {
  TEST_CASE("every outcome has one rule in its place") {
    for (const OutcomeRule& rule : weir::outcome_rules)
      CHECK(weir::rule_of(rule.outcome).outcome == rule.outcome);
  }

  TEST_CASE("the table of outcomes is the one that RunState follows") {
    std::ifstream page(WEIR_SOURCE_FOLDER "/docs/states.md");
    const std::string text(std::istreambuf_iterator<char>(page), {});
    CHECK(between(text, "<!-- outcomes: begin -->\n", "<!-- outcomes: end -->") == table());
  }
}
