#include "base/slug.hpp"

#include <string>

#include <doctest/doctest.h>

namespace weir {
namespace {

// "" for a name that is taken.
template <class Name>
std::string refusal(std::string_view text) {
  const Result<Name> parsed = Name::parse(text);
  if (parsed) {
    CHECK(parsed->view() == text);
    return "";
  }
  CHECK(parsed.error().code == ErrorCode::invalid_definition);
  return parsed.error().kind + ": " + to_string(parsed.error());
}

}  // namespace

TEST_SUITE("base: names") {
  TEST_CASE("D1: a slug is a word of letters and digits and _ that begins with no digit") {
    for (const char* text : {"a", "_", "process_order", "CaseFlow", "s3", "__", "running", "run_"})
      CHECK(refusal<Slug>(text) == "");
    for (const char* text :
         {"3s", "a-b", "a.b", "a b", " a", "a\n", "größe", "a/b", "a'", "\"", "$a"}) {
      CAPTURE(text);
      CHECK(Slug::parse(text).error().kind == "bad_slug");
    }
    CHECK(Slug::parse(std::string_view("a\0b", 3)).error().kind == "bad_slug");
  }

  TEST_CASE("D1: a slug has 1 to 128 bytes") {
    CHECK(refusal<Slug>(std::string(128, 'x')) == "");
    CHECK(refusal<Slug>(std::string(129, 'x')) ==
          "bad_slug: slug \"" + std::string(128, 'x') +
              "…\" is 129 bytes long (at most 128 are allowed)");
    CHECK(refusal<Slug>("") ==
          "bad_slug: slug \"\" is empty (give it a name such as process_order)");
  }

  TEST_CASE("D1: run is no slug in any case") {
    for (const char* text : {"run", "Run", "RUN"})
      CHECK(refusal<Slug>(text) ==
            "bad_slug: slug \"" + std::string(text) + "\" is reserved (choose another name)");
  }

  TEST_CASE("D1: slugs that differ in case alone have one folded form and are not equal") {
    CHECK(Slug::parse("CaseFlow")->folded() == Slug::parse("caseflow")->folded());
    CHECK(*Slug::parse("CaseFlow") != *Slug::parse("caseflow"));
  }

  TEST_CASE("D2: a module name is segments of the same alphabet joined by dots") {
    for (const char* text : {"A", "shop.ProcessOrder", "a.b.c", "_._", "run", "shop.run"})
      CHECK(refusal<ModuleName>(text) == "");
    for (const char* text : {".", "a.", ".a", "a..b", "a.3", "a-b", "a b", "a.b\n"})
      CHECK(refusal<ModuleName>(text).starts_with("bad_module_name: module name \""));
    CHECK(refusal<ModuleName>("shop..Order") ==
          "bad_module_name: module name \"shop..Order\" has a segment that is not a name "
          "(segments of letters, digits and _ joined by dots: shop.ProcessOrder)");
  }

  TEST_CASE("D2: a module name has 1 to 255 bytes") {
    CHECK(refusal<ModuleName>(std::string(255, 'x')) == "");
    CHECK(ModuleName::parse(std::string(256, 'x')).error().hint == "at most 255 are allowed");
    CHECK(refusal<ModuleName>("") ==
          "bad_module_name: module name \"\" is empty (give it a name such as shop.ProcessOrder)");
  }
}

}  // namespace weir
