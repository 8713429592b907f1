#include "config/allow_hash.hpp"

#include <string>

#include <doctest/doctest.h>

namespace {

const std::string a(64, 'a');
const std::string b(64, 'b');

// `text` with `b` allowed.
std::string allowed(const std::string& text) {
  const auto done = weir::allow_hash(weir::SourceText("flows.yaml", text), b, "shop 1.0");
  return done ? done->text : done.error().kind;
}

}  // namespace

TEST_SUITE("config: allowing a plugin") {
  TEST_CASE("a list in lines gets a line") {
    CHECK(allowed("plugins:\n  sha256_allow:\n    # ours\n    - " + a +
                  "  # hello\nlog: {level: warn}\n") ==
          "plugins:\n  sha256_allow:\n    # ours\n    - " + b + "  # shop 1.0\n    - " + a +
              "  # hello\nlog: {level: warn}\n");
    CHECK(allowed("plugins:\n  sha256_allow:\n  - " + a + "\n") ==
          "plugins:\n  sha256_allow:\n  - " + b + "  # shop 1.0\n  - " + a + "\n");
  }

  TEST_CASE("a list in brackets gets an entry") {
    CHECK(allowed("plugins: {sha256_allow: [" + a + "]}  # mine\n") ==
          "plugins: {sha256_allow: [" + b + ", " + a + "]}  # mine\n");
    CHECK(allowed("plugins:\n  sha256_allow: []\n") == "plugins:\n  sha256_allow: [" + b + "]\n");
  }

  TEST_CASE("a section without a list gets one") {
    CHECK(allowed("plugins:\n  # where\n  folders: [plugins]  # here\n") ==
          "plugins:\n  # where\n  sha256_allow:\n    - " + b +
              "  # shop 1.0\n  folders: [plugins]  # here\n");
    CHECK(allowed("plugins: {folders: [plugins]}\n") ==
          "plugins: {sha256_allow: [" + b + "], folders: [plugins]}\n");
    CHECK(allowed("plugins:  # all default\nlog: {level: warn}\n") ==
          "plugins:  # all default\n  sha256_allow:\n    - " + b +
              "  # shop 1.0\nlog: {level: warn}\n");
    CHECK(allowed("plugins:\n  sha256_allow:  # none yet\n  folders: [x]\n") ==
          "plugins:\n  sha256_allow:  # none yet\n    - " + b + "  # shop 1.0\n  folders: [x]\n");
  }

  TEST_CASE("a text without the section gets it at its end") {
    const std::string section = "plugins:\n  sha256_allow:\n    - " + b + "  # shop 1.0\n";
    CHECK(allowed("") == section);
    CHECK(allowed("# nothing\n") == "# nothing\n\n" + section);
    CHECK(allowed("log: {level: warn}") == "log: {level: warn}\n\n" + section);
  }

  TEST_CASE("what is listed changes nothing") {
    const std::string text = "plugins: {sha256_allow: [" + b + "]}\n";
    const auto done = weir::allow_hash(weir::SourceText("flows.yaml", text), b, "");
    REQUIRE(done.has_value());
    CHECK(done->was_there);
    CHECK(done->text == text);
  }

  TEST_CASE("the first entry is told apart: others were allowed until then") {
    CHECK(weir::allow_hash(weir::SourceText("f", ""), b, "")->first);
    CHECK_FALSE(
        weir::allow_hash(weir::SourceText("f", "plugins: {sha256_allow: [" + a + "]}\n"), b, "")
            ->first);
  }

  TEST_CASE("forms that only a person can change are left alone") {
    CHECK(allowed("{log: {level: warn}}\n") == "cannot_edit");
    CHECK(allowed("log: {level: warn}\n---\n") != "");
    CHECK(allowed("wrong: 1\n") == "unknown_key");
  }

  TEST_CASE("characters of several bytes before the place do not move it") {
    CHECK(allowed("# größer → mehr\nplugins: {sha256_allow: [" + a + "]}\n") ==
          "# größer → mehr\nplugins: {sha256_allow: [" + b + ", " + a + "]}\n");
  }
}
