#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "includes.hpp"
#include "layers.hpp"

namespace weir {
namespace {

const std::filesystem::path root = WEIR_SOURCE_DIR;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string output(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  std::string text;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get()))
    text += static_cast<char>(c);
  return text;
}

// What `text` says to a small house of three layers, store and plugin among them.
std::string told(const std::string& file, const std::string& text) {
  const Layers layers = Layers::parse("base:\nstore: base\nplugin: base\ncli: store\n");
  return violations(layers, includes_of(file, text));
}

}  // namespace

TEST_SUITE("layering") {
  TEST_CASE("no file of core includes what its layer may not know") {
    const std::vector<Include> includes = includes_below(root, "core");
    CHECK(includes.size() > 100);
    CHECK(violations(Layers::parse(content(root / "core/layers.txt")), includes) == "");
  }

  TEST_CASE("no example plugin includes more than a user's could") {
    const std::vector<Include> includes = includes_below(root, "plugins");
    CHECK(includes.size() > 10);
    CHECK(violations(Layers::parse(content(root / "core/layers.txt")), includes) == "");
  }

  TEST_CASE("every layer has a folder") {
    std::string missing;
    std::string line;
    for (std::ifstream file(root / "core/layers.txt"); std::getline(file, line);) {
      const std::string layer = line.substr(0, line.find(':'));
      if (!line.empty() && line[0] != '#' && !std::filesystem::is_directory(root / "core" / layer))
        missing += layer;
    }
    CHECK(missing == "");
  }

  TEST_CASE("the picture in docs/architecture.md is what core/layers.txt draws") {
    const std::string page = content(root / "docs/architecture.md");
    const std::string begin = "<!-- layers: begin -->\n";
    const std::string end = "<!-- layers: end -->\n";
    const std::size_t from = page.find(begin);
    const std::size_t to = page.find(end);
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    INFO("script/layers-picture --write mends it");
    CHECK(page.substr(from + begin.size(), to - from - begin.size()) ==
          output("'" + (root / "script/layers-picture").string() + "'"));
  }
}

TEST_SUITE("layering: the rules") {
  TEST_CASE("a layer may include itself and what stands anywhere below it") {
    CHECK(told("core/cli/a.cpp",
               "#include \"cli/b.hpp\"\n#include \"store/c.hpp\"\n#include \"base/d.hpp\"\n") ==
          "");
  }

  TEST_CASE("a layer may include neither its neighbour nor what stands above it") {
    CHECK(told("core/store/a.cpp",
               "#pragma once\n#include \"cli/b.hpp\"\n  #  include \"plugin/c.hpp\" // why\n") ==
          "core/store/a.cpp:2: cli/b.hpp: store does not stand on cli\n"
          "core/store/a.cpp:3: plugin/c.hpp: store does not stand on plugin\n");
  }

  TEST_CASE("an include that is not rooted at core and a folder that is no layer are told") {
    CHECK(told("core/store/a.cpp", "#include \"b.hpp\"") ==
          "core/store/a.cpp:1: b.hpp: \"…\" is rooted at core/ and begins with a layer\n");
    CHECK(told("core/attic/a.cpp", "#include <vector>") ==
          "core/attic/a.cpp:1: vector: attic is not in core/layers.txt\n");
  }

  TEST_CASE("a library one layer hides is included nowhere else") {
    const std::string text =
        "#include <pqxx/pqxx>\n#include <libpq-fe.h>\n#include <yaml-cpp/yaml.h>\n#include "
        "<CLI/CLI.hpp>\n"
        "#include <boost/dll/shared_library.hpp>\n#include <boost/json.hpp>\n";
    CHECK(told("core/store/a.cpp", text) ==
          "core/store/a.cpp:3: yaml-cpp/yaml.h: only config may\n"
          "core/store/a.cpp:4: CLI/CLI.hpp: only cli/command_line/grammar.cpp may\n"
          "core/store/a.cpp:5: boost/dll/shared_library.hpp: only plugin may\n");
    CHECK(told("core/cli/a.cpp", "#include <pqxx/pqxx>\n#include <libpq-fe.h>\n") ==
          "core/cli/a.cpp:1: pqxx/pqxx: only store may\n"
          "core/cli/a.cpp:2: libpq-fe.h: only store may\n");
  }

  TEST_CASE("a library that takes seconds to compile is included by one file alone") {
    CHECK(told("core/cli/a.cpp", "#include <CLI/CLI.hpp>\n#include <spdlog/logger.h>\n") ==
          "core/cli/a.cpp:1: CLI/CLI.hpp: only cli/command_line/grammar.cpp may\n"
          "core/cli/a.cpp:2: spdlog/logger.h: only cli/log.cpp may\n");
    CHECK(told("core/cli/log.cpp", "#include <spdlog/logger.h>\n") == "");
  }

  TEST_CASE("a public header includes only what a user has") {
    CHECK(told("core/include/weir/a.hpp",
               "#include <vector>\n#include <stdint.h>\n#include <weir/b.hpp>\n#include "
               "<boost/json/value.hpp>\n"
               "#include \"base/error.hpp\"\n#include <fmt/core.h>\n#include <base/error.hpp>\n") ==
          "core/include/weir/a.hpp:5: base/error.hpp: a public header must not include it\n"
          "core/include/weir/a.hpp:6: fmt/core.h: a public header must not include it\n"
          "core/include/weir/a.hpp:7: base/error.hpp: a public header must not include it\n");
  }

  TEST_CASE("a plugin includes its own files and public headers alone") {
    CHECK(
        told("plugins/p/a.cpp",
             "#include \"report.hpp\"\n#include <weir/flow.hpp>\n#include \"base/error.hpp\"\n") ==
        "plugins/p/a.cpp:3: base/error.hpp: a plugin has <weir/…> and its own files alone\n");
  }

  TEST_CASE("layers that stand on each other or on nothing known are refused") {
    CHECK_THROWS_WITH(Layers::parse("a: b\nb: a\n"), "layers.txt: a: b: no b above this line");
    CHECK_THROWS_WITH(Layers::parse("a: a\n"), "layers.txt: a: a: no a above this line");
    CHECK_THROWS_WITH(Layers::parse("a:\na:\n"), "layers.txt: a:");
    CHECK_THROWS_WITH(Layers::parse("a\n"), "layers.txt: a");
  }
}

}  // namespace weir
