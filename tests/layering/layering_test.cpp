#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "includes.hpp"
#include "layers.hpp"
#include "links.hpp"

namespace weir {
namespace {

const std::filesystem::path root = WEIR_SOURCE_DIR;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Layers layers_of_project() { return Layers::parse(content(root / "core/layers.txt")); }

// A small project of four layers.
const Layers& small() {
  static const Layers layers = Layers::parse(R"(
[pqxx]: PkgConfig::pqxx | pqxx/ | libpqxx
[yaml-cpp]: yaml-cpp | yaml-cpp/ | libyaml-cpp
[spdlog]: spdlog::spdlog | spdlog/ | libspdlog
[boost-json]: Boost::json | boost/json | libboost_json
<common>: | result.hpp
<sdk>: <common> [boost-json] | flow.hpp sdk/
<client>: <common> | client.hpp client/
base: <common>
store: base <client> [pqxx]
plugin: base
cli: store [spdlog]
)");
  return layers;
}

std::string told(const std::string& file, const std::string& text) {
  return violations(small(), includes_of(file, text));
}

}  // namespace

TEST_SUITE("layering") {
  TEST_CASE("no file of core includes what its layer may not know") {
    const std::vector<Include> includes = includes_below(root, "core");
    CHECK(includes.size() > 100);
    CHECK(violations(layers_of_project(), includes) == "");
  }

  TEST_CASE("no example plugin includes more than a user's could") {
    const std::vector<Include> includes = includes_below(root, "plugins");
    CHECK(includes.size() > 10);
    CHECK(violations(layers_of_project(), includes) == "");
  }

  TEST_CASE("every layer has a folder, and every folder of core is a layer") {
    std::vector<std::string> folders;
    for (const auto& entry : std::filesystem::directory_iterator(root / "core"))
      if (entry.is_directory() && entry.path().filename() != "include")
        folders.push_back(entry.path().filename());
    std::ranges::sort(folders);
    CHECK(folders == layers_of_project().layers());
  }

  TEST_CASE("every public header is of one product") {
    const Layers layers = layers_of_project();
    const std::filesystem::path headers = root / "core/include/weir";
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(headers)) {
      if (!entry.is_regular_file()) continue;
      const std::string header = entry.path().lexically_relative(headers);
      CHECK_MESSAGE(layers.product_of(header).has_value(), header);
      ++count;
    }
    CHECK(count > 50);
  }

  TEST_CASE("no layer links what its includes may not know") {
    std::vector<LinkedSymbol> symbols;
    std::istringstream archives{std::string(WEIR_ARCHIVES)};
    for (std::string each; std::getline(archives, each, ',');) {
      const std::size_t equals = each.find('=');
      const auto own = symbols_of(each.substr(0, equals), each.substr(equals + 1));
      symbols.insert(symbols.end(), own.begin(), own.end());
    }
    CHECK(symbols.size() > 1'000);
    CHECK(link_violations(layers_of_project(), symbols) == "");
  }

  TEST_CASE("what users link needs no library that its layers do not use") {
    const Layers layers = layers_of_project();
    CHECK(needed_violations(layers, "trial", needed_by(WEIR_FLOW_TESTING_LIBRARY)) == "");
    CHECK(needed_violations(layers, "client", needed_by(WEIR_CLIENT_LIBRARY)) == "");
    CHECK(needed_violations(layers, "cli", needed_by(WEIR_PROGRAM)) == "");
  }

  TEST_CASE("a test of a plugin needs no PostgreSQL") {
    for (const std::string& object : needed_by(WEIR_FLOW_TESTING_LIBRARY))
      CHECK_MESSAGE(!object.starts_with("libpq"), object);
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
          output_of("'" + (root / "script/layers-picture").string() + "'"));
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

  TEST_CASE("a library is included where its layer says so") {
    const std::string text =
        "#include <pqxx/pqxx>\n#include <yaml-cpp/yaml.h>\n#include <boost/json.hpp>\n"
        "#include <unheard/of.hpp>\n#include <sys/mman.h>\n";
    CHECK(told("core/store/a.cpp", text) ==
          "core/store/a.cpp:2: yaml-cpp/yaml.h: store does not use [yaml-cpp]\n"
          "core/store/a.cpp:3: boost/json.hpp: store does not use [boost-json]\n"
          "core/store/a.cpp:4: unheard/of.hpp: it is of no library in core/layers.txt\n");
    CHECK(told("core/cli/a.cpp", "#include <pqxx/pqxx>\n") ==
          "core/cli/a.cpp:1: pqxx/pqxx: cli does not use [pqxx]\n");
  }

  TEST_CASE("a library that takes seconds to compile is included by one file alone") {
    CHECK(told("core/cli/a.cpp", "#include <spdlog/logger.h>\n") ==
          "core/cli/a.cpp:1: spdlog/logger.h: only core/cli/log.cpp may\n");
    CHECK(told("core/cli/log.cpp", "#include <spdlog/logger.h>\n") == "");
  }

  TEST_CASE("a layer includes public headers of the products it stands on alone") {
    const std::string text = "#include <weir/client/run_report.hpp>\n#include <weir/result.hpp>\n";
    CHECK(told("core/store/a.cpp", text) == "");
    CHECK(told("core/cli/a.cpp", text) == "");
    CHECK(told("core/plugin/a.cpp", text) ==
          "core/plugin/a.cpp:1: weir/client/run_report.hpp: plugin does not stand on <client>\n");
    CHECK(told("core/store/a.cpp", "#include <weir/flow.hpp>\n#include <weir/new.hpp>\n") ==
          "core/store/a.cpp:1: weir/flow.hpp: store does not stand on <sdk>\n"
          "core/store/a.cpp:2: weir/new.hpp: it is of no product in core/layers.txt\n");
  }

  TEST_CASE("a public header includes only what a user of its product has") {
    CHECK(told("core/include/weir/sdk/a.hpp",
               "#include <vector>\n#include <stdint.h>\n#include <weir/flow.hpp>\n"
               "#include <boost/json/value.hpp>\n#include \"base/error.hpp\"\n"
               "#include <weir/client.hpp>\n#include <base/error.hpp>\n") ==
          "core/include/weir/sdk/a.hpp:5: base/error.hpp: a public header includes <weir/…> and "
          "what users have\n"
          "core/include/weir/sdk/a.hpp:6: weir/client.hpp: <sdk> does not stand on <client>\n"
          "core/include/weir/sdk/a.hpp:7: base/error.hpp: it is of no library in "
          "core/layers.txt\n");
    CHECK(told("core/include/weir/new.hpp", "#include <vector>\n") ==
          "core/include/weir/new.hpp:1: vector: this file is of no product in core/layers.txt\n");
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
    CHECK_THROWS_WITH(Layers::parse("a: [b]\n"), "layers.txt: a: [b]: no [b] above this line");
  }

  TEST_CASE("a layer that links what it does not stand on is told with the symbol") {
    const auto symbol = [](std::string layer, std::string name, bool defined) {
      return LinkedSymbol{.layer = std::move(layer), .name = std::move(name), .defined = defined};
    };
    CHECK(link_violations(small(), {symbol("store", "_ZN4weir5claimEi", true),
                                    symbol("cli", "_ZN4weir5claimEi", false),
                                    symbol("store", "_ZSt9terminatev", false)}) == "");
    CHECK(link_violations(small(), {symbol("store", "_ZN4weir5claimEi", true),
                                    symbol("plugin", "_ZN4weir5claimEi", false)}) ==
          "plugin: weir::claim(int): plugin does not stand on store\n");
    // A template that both made: whoever is linked first serves both.
    CHECK(link_violations(small(), {symbol("store", "_ZN4weir5claimEi", true),
                                    symbol("base", "_ZN4weir5claimEi", true),
                                    symbol("plugin", "_ZN4weir5claimEi", false)}) == "");
  }

  TEST_CASE("a shared object that no layer of a library uses is told") {
    const std::vector<std::string> needed = {"libpqxx-6.4.so", "libc.so.6"};
    CHECK(needed_violations(small(), "cli", needed) == "");
    CHECK(needed_violations(small(), "plugin", needed) ==
          "libpqxx-6.4.so: nothing that plugin stands on uses [pqxx]\n");
  }
}

}  // namespace weir
