#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "plugins/article/character.hpp"
#include "plugins/article/entities.hpp"
#include "plugins/article/html_document.hpp"
#include "unit/plugins/article/linear_time.hpp"

namespace {

using article::decode_entities;
using article::html_document;
using weir::testing::takes_linear_time;

/// "kind: text" for every block, one a line.
std::string html_blocks(std::string_view html) {
  std::string lines;
  for (const auto& block : html_document(html).blocks)
    lines += block.kind + ": " + block.text + "\n";
  return lines;
}

std::string html_title(std::string_view html) { return html_document(html).title; }

}  // namespace

TEST_SUITE("plugins: html") {
  TEST_CASE("blocks become paragraphs and white space is one space") {
    CHECK(html_blocks("<p>One\n  <b>two</b>&nbsp;three</p> <div>four</div>five") ==
          "paragraph: One two three\nparagraph: four\nparagraph: five\n");
    CHECK(html_blocks("a<br>b <i>c</i>d<span>e</span>") == "paragraph: a b cde\n");
    CHECK(html_blocks("<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></table>") ==
          "paragraph: a b\nparagraph: c\n");
  }

  TEST_CASE("tags left open end where the next block begins") {
    CHECK(html_blocks("<p>one<p>two<ul><li>three<li>four</ul>five<h2>six<p>seven") ==
          "paragraph: one\nparagraph: two\nitem: three\nitem: four\nparagraph: five\nheading: six\n"
          "paragraph: seven\n");
    CHECK(html_blocks("<b><i>one</b> two") == "paragraph: one two\n");
    CHECK(html_blocks("</p></div>one</ul>") == "paragraph: one\n");
  }

  TEST_CASE("a block within an item or a heading belongs to it") {
    CHECK(html_blocks("<li> <p>one</p> <p>two</p></li><h2><div>three</div></h2>") ==
          "item: one\nparagraph: two\nheading: three\n");
  }

  TEST_CASE("a less-than sign that begins no tag is text") {
    CHECK(html_blocks("1 < 2 and 3 <4 and <5> and a<") ==
          "paragraph: 1 < 2 and 3 <4 and <5> and a<\n");
    CHECK(html_blocks("x </ y> z </> w") ==
          "paragraph: x z w\n");  // a "</" begins a comment, as in browsers
  }

  TEST_CASE("a tag may hold a greater-than sign in quotes and may be cut off by the end") {
    CHECK(html_blocks("<a title=\"1 > 0\" href='>'>one</a> <a b=c>two</a>") ==
          "paragraph: one two\n");
    CHECK(html_blocks("<p \"odd>one") == "paragraph: one\n");
    CHECK(html_blocks("one <a href=\"two three") == "paragraph: one\n");
    CHECK(html_blocks("one <a href") == "paragraph: one\n");
    CHECK(html_blocks("one <") == "paragraph: one <\n");
  }

  TEST_CASE("comments and declarations are passed over") {
    CHECK(html_blocks("<!DOCTYPE html><?xml x?>a<!-- <p>b --> -->c<!--> d <!---> e <!-- f --!> "
                      "g<![CDATA[h]]>i") == "paragraph: a -->c d e gi\n");
    CHECK(html_blocks("a <!-- b -- > c") == "paragraph: a\n");
  }

  TEST_CASE("what stands in scripts and styles is no text whatever it holds") {
    CHECK(html_blocks(
              "a<script>if (b < c) x = \"</\" + '</p>' + \"<script>\"; </scripts> </SCRIPT\n>d") ==
          "paragraph: ad\n");
    CHECK(html_blocks("a<style>p > b { c: '<p>' }</style>d<script src=x />e") == "paragraph: ad\n");
    CHECK(html_blocks("a<svg><title>b</title><svg/><svg>c</svg>d</svg>e") == "paragraph: ae\n");
    CHECK(html_blocks("<nav><p>menu</p></nav>a<noscript>b</noscript>c<template><p>d</template>") ==
          "paragraph: ac\n");
  }

  TEST_CASE("preformatted text keeps its lines") {
    CHECK(html_blocks("<pre>\n  a &lt; b\n\n  <b>c</b>\n</pre>d") ==
          "code:   a < b\n\n  c\nparagraph: d\n");
  }

  TEST_CASE("the title is the title element else the first h1") {
    CHECK(html_title("<title> A &amp; <b>B</b>\n</title><h1>C</h1>") == "A & <b>B</b>");
    CHECK(html_title("<h2>A</h2><h1> B <i>C</i></h1><h1>D</h1>") == "B C");
    CHECK(html_title("<title></title><p>a") == "");
    CHECK(html_blocks("<title>a</title>b") == "paragraph: b\n");
  }

  TEST_CASE("character references are resolved as browsers do") {
    CHECK(decode_entities("&lt;&gt;&amp;&quot;&apos;&eacute;&hellip;&nbsp;&thetasym;") ==
          "<>&\"'\u00E9\u2026 \u03D1");
    CHECK(decode_entities("&#65;&#x42;&#X43;&#68 &#128; &#x2019;") == "ABCD \u20AC \u2019");
    CHECK(decode_entities("&copy 2024 &ampx &notit; &hellip") ==
          "\u00A9 2024 &x \u00ACit; &hellip");
    CHECK(decode_entities("&; & &x; &unknown; &#; &#x; &#xg; &apos &") ==
          "&; & &x; &unknown; &#; &#x; &#xg; &apos &");
    CHECK(decode_entities("&#0;&#xD800;&#x110000;&#99999999999;&#1;&#xFFFF;") ==
          "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  }

  TEST_CASE("random input is survived and what comes out is text") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    constexpr std::string_view pieces[] = {"<",          ">",
                                           "</",         "<!--",
                                           "-->",        "--",
                                           "<p>",        "<li>",
                                           "<pre>",      "<script>",
                                           "</script",   "<title>",
                                           "</title>",   "<svg>",
                                           "</svg>",     "<svg/>",
                                           "&",          "&#",
                                           "&#x",        "&amp",
                                           ";",          "=",
                                           "\"",         "'",
                                           "/",          " ",
                                           "\n",         "a",
                                           "9",          "<h1>",
                                           "\xC3\xA9",   "&nbsp;",
                                           "<template>", "\xF0\x9F\x8C\x8A"};
    for (int round = 0; round < 3'000; ++round) {
      std::string html;
      for (auto left = random() % 60; left > 0; --left)
        html += pieces[random() % std::size(pieces)];
      CAPTURE(html);
      for (const auto& block : html_document(html).blocks) {
        CHECK(article::is_utf8(block.text));
        CHECK_FALSE(block.text.empty());
      }
    }
  }

  TEST_CASE("hostile input takes time in proportion to its size") {
    for (const std::string_view piece :
         {"<",       "</",       "<!--",       "<a ",   "<p>", " <p>", "<a href=\"",
          "<!",      "<script>", "<script></", "<svg>", "&",   "&#",   "<li",
          "<title>", "<!-- --",  "<a b='",     "<a =",  "< ",  "&am"}) {
      CAPTURE(piece);
      CHECK(takes_linear_time([](std::string_view input) { html_document(input); }, piece));
    }
  }
}
