#include "plugins/text_report/word_count.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/command_output.hpp"

namespace {

using text_report::WordCount;
using weir::testing::command_output;
using weir::testing::TemporaryFolder;

using Counts = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  // lines, words, bytes

Counts counted(std::string_view text, std::size_t piece_bytes) {
  WordCount count;
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    count.add(text.substr(0, piece_bytes));
  }
  return {count.lines(), count.words(), count.bytes()};
}

Counts counted(std::string_view text) { return counted(text, text.size() + 1); }

/// What `LC_ALL=C wc` says of each text.
std::vector<Counts> counted_by_wc(const std::vector<std::string>& texts) {
  const TemporaryFolder folder;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    folder.write(std::to_string(1'000'000 + i), texts[i]);  // the shell orders them
  }
  std::istringstream lines(
      command_output("cd '" + folder.path().string() + "' && LC_ALL=C wc -l -w -c -- 1*"));
  std::vector<Counts> counts(texts.size());
  std::string name;
  for (auto& [line_count, word_count, byte_count] : counts) {
    lines >> line_count >> word_count >> byte_count >> name;
  }
  REQUIRE(name == std::to_string(1'000'000 + texts.size() - 1));
  return counts;
}

/// Many separators among bytes drawn from `alphabet`.
std::string random_text(std::mt19937& random, std::string_view alphabet) {
  constexpr std::string_view spaces = " \t\n\v\f\r";
  std::string text(random() % 400, ' ');
  for (char& c : text) {
    const bool space = random() % 4 == 0;
    c = space ? spaces[random() % spaces.size()] : alphabet[random() % alphabet.size()];
  }
  return text;
}

std::string bytes_from(int first, int last) {
  std::string bytes;
  for (int byte = first; byte <= last; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

}  // namespace

TEST_SUITE("plugins: word count") {
  TEST_CASE("white space ends a word and a printable character begins one") {
    CHECK(counted("") == Counts{0, 0, 0});
    CHECK(counted("one") == Counts{0, 1, 3});
    CHECK(counted("\n\n") == Counts{2, 0, 2});
    CHECK(counted(" one\ttwo\vthree\ffour\rfive\n") == Counts{1, 5, 25});
  }

  TEST_CASE("other bytes neither begin nor end a word") {
    CHECK(counted("\x01") == Counts{0, 0, 1});
    CHECK(counted("\x7F \x80 \xA0 \xC3\xA0") == Counts{0, 0, 8});
    CHECK(counted("a\x01z") == Counts{0, 1, 3});
    CHECK(counted("caf\xC3\xA9 \xE2\x80\x94 bar") == Counts{0, 2, 13});
  }

  TEST_CASE("random bytes are counted as the wc of this machine does") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    // Newer wc takes unprintable bytes for words: then only the others can be compared.
    const auto probes = counted_by_wc({"\x01", "\x80"});
    const bool as_coreutils_9_1 = probes == std::vector<Counts>{{0, 0, 1}, {0, 0, 1}};
    const std::string alphabet = as_coreutils_9_1 ? bytes_from(0, 255) : bytes_from('!', '~');
    std::vector<std::string> texts;
    for (int i = 0; i < 1'000; ++i) texts.push_back(random_text(random, alphabet));
    for (int i = 0; i < 1'000; ++i) texts.push_back(random_text(random, bytes_from('!', '~')));
    const std::vector<Counts> expected = counted_by_wc(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      CAPTURE(i);
      CHECK(counted(texts[i]) == expected[i]);
    }
  }

  TEST_CASE("how a text is cut into pieces changes nothing") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::string text = random_text(random, bytes_from(0, 255));
    for (std::size_t piece = 1; piece < 40; ++piece) {
      CAPTURE(piece);
      CHECK(counted(text, piece) == counted(text));
    }
  }
}
