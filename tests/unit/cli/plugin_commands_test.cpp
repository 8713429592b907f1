// weir plugins new, try, diff, allow and lint, as far as they need no database.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "unit/cli/weir_in.hpp"

using weir::testing::process_order;
using weir::testing::Ran;
using weir::testing::TemporaryFolder;
using weir::testing::weir_in;
namespace fs = std::filesystem;

namespace {

const std::string hello_c = (fs::path(WEIR_PLUGIN_FOLDER) / "hello_c.so").string();
const std::string ada = R"({"name": "Ada"})";

std::string text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_SUITE_BEGIN("cli: for authors");

TEST_CASE("a new plugin has its name everywhere and is never written twice") {
  const TemporaryFolder folder;
  const Ran made = weir_in(folder, {"plugins", "new", "order_totals"});
  CHECK(made.code == 0);
  CHECK(made.out ==
        "wrote order_totals/CMakeLists.txt\nwrote order_totals/order_totals.cpp\n"
        "wrote order_totals/order_totals_test.cpp\nwrote order_totals/README.md\n\nNext:\n"
        "  cd order_totals\n  cmake -B build && cmake --build build\n  ctest --test-dir build\n");
  const std::string source = text(folder.path() / "order_totals/order_totals.cpp");
  CHECK(source.contains("WEIR_FLOW(order_totals, \"first.OrderTotals\","));
  CHECK_FALSE(source.contains("plugin_name"));
  const Ran again = weir_in(folder, {"plugins", "new", "order_totals"});
  CHECK(again.code == 1);
  CHECK(again.err ==
        "weir: error: already there: order_totals; nothing was written (name another folder "
        "after the plugin's name, or move it away)\n");
  CHECK(weir_in(folder, {"plugins", "new", "order_totals", "src/other"}).code == 0);
  CHECK(fs::exists(folder.path() / "src/other/order_totals.cpp"));
}

TEST_CASE("a new plugin speaks the language that was asked for") {
  const TemporaryFolder folder;
  CHECK(weir_in(folder, {"plugins", "new", "shout", "c", "--lang", "c"}).code == 0);
  CHECK(fs::exists(folder.path() / "c/shout.c"));
  CHECK(weir_in(folder, {"plugins", "new", "shout", "rust", "--lang", "rust"}).code == 0);
  CHECK(fs::exists(folder.path() / "rust/weir.rs"));
  CHECK(fs::exists(folder.path() / "rust/shout.rs"));
  const Ran unknown = weir_in(folder, {"plugins", "new", "shout", "go", "--lang", "go"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.contains("no language \"go\"; there are cpp, c, rust"));
}

TEST_CASE("a name that no flow can have is refused before anything is written") {
  const TemporaryFolder folder;
  const Ran bad = weir_in(folder, {"plugins", "new", "order-totals"});
  CHECK(bad.code == 2);
  CHECK(bad.err.contains("order-totals"));
  const Ran reserved = weir_in(folder, {"plugins", "new", "test"});
  CHECK(reserved.code == 2);
  CHECK(reserved.err ==
        "weir: error: \"test\" cannot be a plugin's name: CMake has a target of its own under it "
        "(take another one, \"test_flow\" for example)\n");
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a flow is tried in memory and held against what is expected") {
  const TemporaryFolder folder;
  const Ran tried = weir_in(folder, {"plugins", "try", hello_c, "--input", ada});
  CHECK(tried.code == 0);
  CHECK(tried.out.contains("\ngreet          1  completed          \"Hello, Ada!\"\n"));
  CHECK(tried.out.ends_with("output  {\"compose\":{\"text\":\"Hello, Ada!\"}}\n"));
  CHECK(tried.err == "info: split: greeting somebody from C\n");

  const auto expecting = [&](const std::string& json) {
    return weir_in(folder, {"plugins", "try", hello_c, "--input", ada, "--expect", json, "--json"});
  };
  CHECK(expecting(R"({"compose": {"text": "Hello, Ada!"}})").code == 0);
  const Ran other = expecting(R"({"compose": {"text": "Hi!"}})");
  CHECK(other.code == 1);
  CHECK(other.err == "weir: error: at \"/compose/text\" expected \"Hi!\", got \"Hello, Ada!\"\n");
  CHECK(other.out.contains(R"("differs_at":"/compose/text")"));
}

TEST_CASE("what a tried flow returns cannot move the cursor or reverse the text") {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {
      "plugins", "try", hello_c, "--input", "{\"name\": \"\u009b\u202e\"}", "--expect", "null"};
  const Ran tried = weir_in(folder, words);
  CHECK(tried.code == 1);
  CHECK(tried.out.ends_with(R"(output  {"compose":{"text":"Hello, \u009b\u202e!"}})"
                            "\n"));
  CHECK(tried.err.ends_with(R"(got {"compose":{"text":"Hello, \u009b\u202e!"}})"
                            "\n"));
}

TEST_CASE("a try that fails or cannot begin says why") {
  const TemporaryFolder folder;
  const Ran failed = weir_in(folder, {"plugins", "try", hello_c, "--input", R"({"name": ""})"});
  CHECK(failed.code == 1);
  CHECK(failed.out.contains("error   step \"split\" failed for good: there is nobody to greet"));
  const Ran flow = weir_in(folder, {"plugins", "try", hello_c, "--flow", "helo_c"});
  CHECK(flow.code == 2);
  CHECK(flow.err == "weir: error: the plugin has no flow \"helo_c\" (did you mean \"hello_c\"?)\n");
  CHECK(weir_in(folder, {"plugins", "try", hello_c, "--input", "7"}).code == 2);
  folder.write("bad.so", "junk");
  CHECK(weir_in(folder, {"plugins", "try", "bad.so"}).code == 1);
}

TEST_CASE("V3: what a new build means for open runs is told flow by flow") {
  const TemporaryFolder folder;
  const Ran same = weir_in(folder, {"plugins", "diff", hello_c, hello_c});
  CHECK(same.code == 0);
  CHECK(same.out == "hello_c: the same version: open runs continue\n");
  const Ran other = weir_in(folder, {"plugins", "diff", hello_c, process_order});
  CHECK(other.code == 1);
  CHECK(other.out ==
        "hello_c: open runs stay with the old version, and wait if it is removed\n"
        "process_order: new: no run of it is open\n");
  CHECK(weir_in(folder, {"plugins", "diff", hello_c, process_order, "--json"})
            .out.contains(R"("compatible":false,"flows":[{"flow":"hello_c","fate":"removed")"));
}

TEST_CASE("allowing a plugin adds its hash and nothing else and once") {
  const TemporaryFolder folder;
  folder.write("flows.yaml", "# ours\nplugins:\n  folders: [plugins]  # here\n");
  const Ran first = weir_in(folder, {"plugins", "allow", hello_c});
  CHECK(first.code == 0);
  CHECK(first.out.starts_with(hello_c + ": allowed: "));
  CHECK(first.err ==
        "weir: note: from now on flows.yaml allows the plugins it lists, and no others\n");
  const std::string after = text(folder.path() / "flows.yaml");
  CHECK(after.starts_with("# ours\nplugins:\n  sha256_allow:\n    - "));
  CHECK(after.ends_with("  # hello_c 1.0.0\n  folders: [plugins]  # here\n"));
  const Ran again = weir_in(folder, {"plugins", "allow", hello_c, "--json"});
  CHECK(again.code == 0);
  CHECK(again.out.contains("\"added\":false"));
  CHECK(text(folder.path() / "flows.yaml") == after);
  folder.write("bad.so", "junk");
  CHECK(weir_in(folder, {"plugins", "allow", process_order, "bad.so"}).code == 1);
  CHECK(text(folder.path() / "flows.yaml") == after);
}

TEST_CASE("without a configuration allowing a plugin makes one") {
  const TemporaryFolder folder;
  CHECK(weir_in(folder, {"plugins", "allow", hello_c}).code == 0);
  CHECK(text(folder.path() / "flows.yaml").starts_with("plugins:\n  sha256_allow:\n    - "));
}

TEST_CASE("plugins built with weir_add_plugin lint without warnings" *
          doctest::skip(WEIR_SANITIZED)) {
  const TemporaryFolder folder;
  for (const std::string& file : {hello_c, process_order}) {
    const Ran lint = weir_in(folder, {"plugins", "lint", "--strict", file});
    CHECK(lint.out == file + ": ok\n");
    CHECK(lint.code == 0);
    CHECK(weir_in(folder, {"plugins", "lint", "--json", file}).out.contains("\"warnings\":[]"));
  }
}
