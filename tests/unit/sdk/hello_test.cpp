#include <string>
#include <string_view>
#include <utility>

#include <dlfcn.h>
#include <doctest/doctest.h>

#include "fake_host.hpp"

namespace {
using weir::testing::fake_host;
using weir::testing::str;
using weir::testing::view;

const weir_plugin& plugin(const char* file) {
  void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);  // never closed: tests share it
  REQUIRE_MESSAGE(library != nullptr, ::dlerror());
  const void* const symbol = ::dlsym(library, WEIR_PLUGIN_SYMBOL);
  REQUIRE(symbol != nullptr);
  return *static_cast<const weir_plugin*>(symbol);
}

// What a step of a plugin's first flow makes of `input`: its output, or "code: message".
std::string result(const weir_plugin& plugin, std::string_view slug, std::string_view input) {
  for (const weir_step* step = plugin.flows[0].steps;; ++step) {
    if (view(step->slug) != slug) continue;
    weir_call call;
    call.facts.emplace("step", slug);
    const std::int32_t ended = step->run(&fake_host(), &call, str(input), step->user);
    CHECK(call.outputs.size() + call.failures.size() == 1);
    if (ended == WEIR_OK) return call.outputs.at(0);
    CHECK(ended == WEIR_FAILED_FOR_GOOD);
    return call.failures.at(0).code + ": " + call.failures.at(0).message;
  }
}
}  // namespace

TEST_SUITE("sdk: hello in two languages") {
  TEST_CASE("hello and its twin in C give the same results") {
    for (const char* file : {HELLO, HELLO_C}) {
      CAPTURE(file);
      const weir_plugin& hello = plugin(file);
      CHECK(result(hello, "split", R"({"name": "Ada Lovelace"})") == R"(["Ada","Lovelace"])");
      CHECK(result(hello, "split", R"( {"x":{"name":1},"y":["}",","],"name" : " a  b c "} )") ==
            R"(["a","b","c"])");
      CHECK(result(hello, "split", R"({"z":"\\","name":"\"Bo\" \\"})") == R"(["\"Bo\"","\\"])");
      CHECK(result(hello, "split", R"({"name":"  "})") ==
            R"(no_name: there is nobody to greet: "name" is empty)");
      CHECK(result(hello, "split", R"({"nom":"Ada"})").starts_with("bad_input: "));
      CHECK(result(hello, "split", R"({"name":7})").starts_with("bad_input: "));
      CHECK(result(hello, "split", R"([])").starts_with("bad_input: "));
      CHECK(result(hello, "greet", R"("J\"ö")") == "\"Hello, J\\\"ö!\"");
      CHECK(result(hello, "greet", R"("")") == R"("Hello, !")");
      CHECK(result(hello, "greet", "7").starts_with("bad_input: "));
      CHECK(result(hello, "compose", R"({"greet": ["Hello, a!", "Hello, \"]!"]})") ==
            R"({"text":"Hello, a! Hello, \"]!"})");
      CHECK(result(hello, "compose", R"({"greet":[]})") == R"({"text":""})");
      CHECK(result(hello, "compose", R"({"greet":{}})").starts_with("bad_input: "));
    }
  }

  TEST_CASE("they differ in nothing but their names") {
    const weir_plugin& cpp = plugin(HELLO);
    const weir_plugin& c = plugin(HELLO_C);
    std::string expected(view(cpp.manifest));
    for (const auto& [from, to] : {std::pair{R"("plugin":"hello")", R"("plugin":"hello_c")"},
                                   std::pair{R"("examples.Hello")", R"("examples.HelloC")"},
                                   std::pair{R"("slug":"hello")", R"("slug":"hello_c")"}})
      expected.replace(expected.find(from), std::string_view(from).size(), to);
    CHECK(view(c.manifest) == expected);
    CHECK(c.struct_size == cpp.struct_size);
    CHECK(c.flows[0].step_count == cpp.flows[0].step_count);
  }
}
