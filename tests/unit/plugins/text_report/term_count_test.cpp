#include "plugins/text_report/term_count.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/command_output.hpp"

namespace {

using text_report::TermCount;
using weir::testing::command_output;
using weir::testing::TemporaryFolder;

TermCount::Ranked top(std::string_view text, std::size_t piece_bytes = 4096) {
  TermCount count;
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    count.add(text.substr(0, piece_bytes));
  }
  return count.top(10);
}

/// The pipeline that the README promises the same result of.
TermCount::Ranked top_by_shell(const std::string& text) {
  const TemporaryFolder folder;
  const std::string file = folder.write("text", text);
  std::istringstream lines(command_output("export LC_ALL=C; tr -cs A-Za-z '\\n' <'" + file +
                                          "' | tr A-Z a-z | { grep -xE '.{1,255}' || true; } | "
                                          "sort | uniq -c | sort -k1,1nr -k2,2 | head"));
  TermCount::Ranked ranked;
  std::uint64_t count = 0;
  for (std::string term; lines >> count >> term;) ranked.emplace_back(term, count);
  return ranked;
}

using Ranked = TermCount::Ranked;

}  // namespace

TEST_SUITE("plugins: terms") {
  TEST_CASE("a term is a whole run of letters in lower case") {
    CHECK(top("Don't PANIC, don't; a1b2 \xC3\xA9t\xC3\xA9_x") ==
          Ranked{{"t", 3}, {"don", 2}, {"a", 1}, {"b", 1}, {"panic", 1}, {"x", 1}});
    CHECK(top("").empty());
    CHECK(top("12 [\\]^_`{|}~@ \xE1\xE9").empty());
  }

  TEST_CASE("the most frequent come first and ties in ascending order") {
    CHECK(top("k j i h g f e d c b a l l k") == Ranked{{"k", 2},
                                                       {"l", 2},
                                                       {"a", 1},
                                                       {"b", 1},
                                                       {"c", 1},
                                                       {"d", 1},
                                                       {"e", 1},
                                                       {"f", 1},
                                                       {"g", 1},
                                                       {"h", 1}});
  }

  TEST_CASE("a run of more than 255 letters is passed over") {
    const std::string longest(255, 'a');
    CHECK(top(longest + " b " + longest + "a") == Ranked{{longest, 1}, {"b", 1}});
    CHECK(top(std::string(1'000'000, 'a') + " b") == Ranked{{"b", 1}});
  }

  TEST_CASE("one term too many overflows and memory stays bounded") {
    TermCount count(3);
    count.add("a b c a b c");
    CHECK(count.top(10).size() == 3);
    CHECK_FALSE(count.overflowed());
    count.add("d");
    CHECK_FALSE(count.overflowed());  // the run may go on
    CHECK(count.top(10).size() == 3);
    CHECK(count.overflowed());
  }

  TEST_CASE("random texts give what the shell pipeline gives") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    constexpr std::string_view alphabet = "aabbcdeXYZ    .,-'0\n\t\xC3\xA9";
    for (int i = 0; i < 40; ++i) {
      std::string text(random() % 3'000, ' ');
      for (char& c : text) c = alphabet[random() % alphabet.size()];
      text += ' ' + std::string(random() % 400, 'q') + '\n';
      CAPTURE(i);
      CHECK(top(text) == top_by_shell(text));
      CHECK(top(text, 1 + random() % 20) == top(text));
    }
  }
}
