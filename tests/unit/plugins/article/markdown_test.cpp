#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "plugins/article/character.hpp"
#include "plugins/article/markdown_document.hpp"
#include "plugins/article/markdown_inline.hpp"
#include "unit/plugins/article/linear_time.hpp"

namespace {

using article::markdown_document;
using article::markdown_inline;
using weir::testing::takes_linear_time;

std::string markdown_blocks(std::string_view markdown) {
  std::string lines;
  for (const auto& block : markdown_document(markdown).blocks)
    lines += block.kind + ": " + block.text + "\n";
  return lines;
}

std::string markdown_title(std::string_view markdown) { return markdown_document(markdown).title; }
std::string plain(std::string_view markdown) {
  return markdown_inline(markdown, {"known", "other label"});
}

}  // namespace

TEST_SUITE("plugins: markdown") {
  TEST_CASE("headings are marked or underlined") {
    CHECK(markdown_blocks("# One\n##   Two ##\n###### Six\n####### no\n#no\n") ==
          "heading: One\nheading: Two\nheading: Six\nparagraph: ####### no #no\n");
    CHECK(markdown_blocks("One\n===\nTwo\nlines\n---\nthree") ==
          "heading: One\nheading: Two lines\nparagraph: three\n");
    CHECK(markdown_blocks("# C#\n#\n## #") == "heading: C#\n");
  }

  TEST_CASE("blank lines part paragraphs and rules end them") {
    CHECK(markdown_blocks("one\ntwo  \nthree\n\n\nfour\n***\nfive\n- - -\nsix") ==
          "paragraph: one two three\nparagraph: four\nparagraph: five\nparagraph: six\n");
  }

  TEST_CASE("list items of every kind are items") {
    CHECK(markdown_blocks("-no\n- a\n* b\n+ c\n1. d\n12) e\n  - f\n- [x] g\n-\n") ==
          "paragraph: -no\nitem: a\nitem: b\nitem: c\nitem: d\nitem: e\nitem: f\nitem: g\n");
    CHECK(markdown_blocks("- a\n  goes on\n\n  more of a\n\nno item") ==
          "item: a goes on\nparagraph: more of a\nparagraph: no item\n");
    CHECK(markdown_blocks("in\n1986. That year\n1. begins") ==
          "paragraph: in 1986. That year\nitem: begins\n");
  }

  TEST_CASE("code keeps its lines and is not read as Markdown") {
    CHECK(markdown_blocks("```cpp\nint *a;\n\n  # b\n```\nafter") ==
          "code: int *a;\n\n  # b\nparagraph: after\n");
    CHECK(markdown_blocks("~~~~\n```\n~~~\n~~~~~\nafter") == "code: ```\n~~~\nparagraph: after\n");
    CHECK(markdown_blocks("a\n\n    code *x*\n\n\tmore\n\nb") ==
          "paragraph: a\ncode: code *x*\n\nmore\nparagraph: b\n");
    CHECK(markdown_blocks("```\nnever closed") == "code: never closed\n");
    CHECK(markdown_blocks("- a\n  ```\n  b\n  ```") == "item: a\ncode: b\n");
    CHECK(markdown_blocks("``` not ` a fence\n") == "paragraph: ``` not ` a fence\n");
  }

  TEST_CASE("quotes and tables are read as paragraphs") {
    CHECK(markdown_blocks("> one\n> two\n>\n> > # three\n> - four\n") ==
          "paragraph: one two\nheading: three\nitem: four\n");
    CHECK(markdown_blocks("| a | b |\n|---|:-:|\n| *c* | d |") ==
          "paragraph: a b\nparagraph: c d\n");
  }

  TEST_CASE("emphasis goes and what only looks like it stays") {
    CHECK(plain("*a* **b** ***c*** _d_ __e__ ~~f~~") == "a b c d e f");
    CHECK(plain("**a *b* c**") == "a b c");
    CHECK(plain("2 * 3 * 4 snake_case_name a~b * c") == "2 * 3 * 4 snake_case_name a~b * c");
    CHECK(plain("*open and **more") == "*open and **more");
    CHECK(plain("a*b*c (*d*)") == "abc (d)");
    CHECK(plain("\\*a\\* \\[b\\] \\a \\\\") == "*a* [b] \\a \\");
  }

  TEST_CASE("links and images show their text") {
    CHECK(plain("[a](b) [c](<d e>) [f](g \"h\") ![i](j (k)) [l](m(n)o)") == "a c f i l");
    CHECK(plain("[*a*](b) [![c](d)](e)") == "a c");
    CHECK(plain("[a][known] [KNOWN][] [Other  Label] [b][unknown] [c]") ==
          "a KNOWN Other  Label [b][unknown] [c]");
    CHECK(plain("<https://example.org/a_b_c> <me@example.org> <b>c</b> 1 < 2 > 0") ==
          "https://example.org/a_b_c me@example.org c 1 < 2 > 0");
    CHECK(plain("[a](b [c](d e) ]( [e] (f) ![g]") == "[a](b [c](d e) ]( [e] (f) ![g]");
    CHECK(markdown_blocks("[known]: http://a\nb [known]\n\n[x]: y 'z'") == "paragraph: b known\n");
  }

  TEST_CASE("code spans are taken as they stand") {
    CHECK(plain("`*a*` ``b ` c`` ` `` ` `open") == "*a* b ` c `` `open");
    CHECK(plain("`a\\` &amp; `&amp;`") == "a\\ & &amp;");
  }

  TEST_CASE("comments and front matter are passed over") {
    CHECK(markdown_blocks("---\ntitle: A\n---\nb") == "paragraph: b\n");
    CHECK(markdown_blocks("<!-- a\n\n# b\n-->\nc") == "paragraph: c\n");
    CHECK(markdown_blocks("a\n---\nb") == "heading: a\nparagraph: b\n");
  }

  TEST_CASE("the title is that of the front matter else the first heading") {
    CHECK(markdown_title("---\nlayout: x\ntitle: \"A: b\"\n---\n# C") == "A: b");
    CHECK(markdown_title("a\n\n## *B*\n\n# C") == "B");
    CHECK(markdown_title("a") == "");
  }

  TEST_CASE("random input is survived and what comes out is text") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    constexpr std::string_view pieces[] = {
        "*",   "**", "_", "~~", "`",    "```", "[",  "]",        "(",      ")",    "![",
        "](",  "<",  ">", "#",  "# ",   "- ",  "1.", "    ",     "\n",     "\n\n", "---",
        "===", "|",  "&", "\\", "<!--", "-->", "a",  "\xC3\xA9", "[a]: b", "\t",   "> "};
    for (int round = 0; round < 3'000; ++round) {
      std::string markdown;
      for (auto left = random() % 60; left > 0; --left)
        markdown += pieces[random() % std::size(pieces)];
      CAPTURE(markdown);
      for (const auto& block : markdown_document(markdown).blocks) {
        CHECK(article::is_utf8(block.text));
        CHECK_FALSE(block.text.empty());
      }
    }
  }

  TEST_CASE("hostile input takes time in proportion to its size") {
    for (const std::string_view piece :
         {"*",    "* a ",   "*a ",    "_a",    "`",     "` `` ",   "[",        "](",
          "[a](", "[a](b ", "![",     "<",     "< ",    "<a",      "&",        "> ",
          ">\n",  "- ",     "-\n",    "# ",    "```\n", "    a\n", "[a]: b\n", "<!--\n",
          "|\n",  "~~a",    "[a](\"", "[a]['", "a\n",   "\\"}) {
      CAPTURE(piece);
      CHECK(takes_linear_time([](std::string_view input) { markdown_document(input); }, piece));
    }
  }
}
