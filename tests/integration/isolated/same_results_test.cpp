// The example plugins, run in this process and in processes of their own by `weir internal
// isolate`.
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "support/program.hpp"
#include "support/seeds.hpp"
#include "support/temporary_folder.hpp"
#include "trial/virtual_run.hpp"
#include "unit/isolated/plugin_rig.hpp"

TEST_SUITE_BEGIN("isolated: example plugins");

namespace {
namespace fs = std::filesystem;
using namespace weir;
using weir::testing::PluginRig;
using weir::testing::result_text;
using weir::testing::TemporaryFolder;

struct Trial {
  std::string results;  // of every attempt, in order
  std::size_t calls = 0;
};

// A whole run of the plugin's first flow, folder names taken out of what it says.
Trial run(PluginRig& rig, const std::string& input, const TemporaryFolder& folder) {
  const FlowDefinition& flow = rig.flows().front()->definition;
  std::vector<StepOptions> options;
  for (const StepDefinition& step : flow.steps()) options.push_back(step.options);
  const auto json = Json::parse(input);
  REQUIRE(json);
  rig.flow_input = *json;
  Trial trial;
  const VirtualEnd end =
      run_virtually(flow, options, *json,
                    {[&](const RunState& state, const ReadyTask& task, Duration) -> VirtualResult {
                      ++trial.calls;
                      rig.max_output_bytes = state.options(task.task.step).max_output_bytes;
                      const AttemptResult result =
                          rig.run(0, task.task.step, std::string(state.input_of(task.task).text()));
                      trial.results += result_text(result) + "\n";
                      return {result};
                    }});
  trial.results += fmt::format("{} {}", static_cast<int>(end.end.status), end.end.output.text());
  for (std::size_t at = 0; (at = trial.results.find(folder.path().native())) != std::string::npos;)
    trial.results.replace(at, folder.path().native().size(), "FOLDER");
  return trial;
}

std::string text(std::mt19937_64& random) {
  static constexpr std::string_view words[] = {"Ada",    "Lovelace", "é",    "",         " ",
                                               "a b  c", "\\n",      "TODO", "/no/such", "0"};
  std::string all;
  for (auto n = random() % 4; n > 0; --n)
    all += std::string(words[random() % std::size(words)]) + " ";
  return all;
}

// Often what the flow wants, else anything.
std::string input(std::string_view plugin, std::mt19937_64& random, const TemporaryFolder& folder) {
  const std::string here = folder.path().native();
  if (random() % 8 == 0) {
    static constexpr std::string_view any[] = {"null", "7", "[]", R"({"name": 7})", R"({})"};
    return std::string(any[random() % std::size(any)]);
  }
  if (plugin == "process_order")
    return fmt::format(R"({{"order_id": {}, "amount": {}.{}, "ledger": "{}/ledger"}})",
                       static_cast<int>(random() % 20) - 1, random() % 100, random() % 1000, here);
  if (plugin == "text_report") return fmt::format(R"({{"folder": "{}/texts"}})", here);
  if (plugin == "article")
    return fmt::format(R"({{"source": "{}/texts/{}.md", "output_folder": "{}/pages"}})", here,
                       random() % 3, here);
  if (plugin == "repo_search")
    return fmt::format(R"({{"repository": "{}/texts", "text": "{}"}})", here, text(random));
  return fmt::format(R"({{"name": "{}"}})", text(random));
}

void furnish(const TemporaryFolder& folder) {
  folder.write("texts/0.md", "# A title\n\nSome words, some more words. And a sentence.\n");
  folder.write("texts/1.md", "plain\n");
  fs::create_directories(folder.path() / "ledger");
}

// LeakSanitizer knows a leak (tests/lsan.supp) by its library, which has to be mapped at the end.
void keep_leaking_library_mapped() {
#ifdef WEIR_BUILT_WITH_SANITIZERS
  static_cast<void>(::dlopen("libpcre2-8.so.0", RTLD_NOW | RTLD_NODELETE));
#endif
}

IsolatedOptions by_weir() {
  IsolatedOptions options = weir::testing::isolated_options();
  options.program = WEIR_PROGRAM;
  return options;
}
}  // namespace

TEST_CASE("200 random calls give the same results isolated and in process") {
  keep_leaking_library_mapped();
  IsolatedOptions options = by_weir();
  options.processes = 1;  // so that resources are counted alike
  weir::testing::for_seeds(1, [&](std::mt19937_64& random) {
    for (const char* plugin :
         {"hello", "hello_c", "process_order", "text_report", "article", "repo_search"}) {
      CAPTURE(plugin);
      const fs::path file = fs::path(WEIR_PLUGIN_FOLDER) / (std::string(plugin) + ".so");
      const TemporaryFolder here, there;
      furnish(here);
      furnish(there);
      PluginRig in_process = PluginRig::in_process(file);
      PluginRig isolated(file, options);
      for (std::size_t calls = 0, n = 0; calls < 34 || n < 20; ++n) {
        const auto before = random;
        const std::string given_here = input(plugin, random, here);
        auto again = before;
        const std::string given_there = input(plugin, again, there);
        CAPTURE(given_here);
        const Trial one = run(in_process, given_here, here);
        const Trial other = run(isolated, given_there, there);
        REQUIRE(one.results == other.results);
        calls += one.calls;
      }
    }
  });
}

TEST_CASE("A6: a coroutine gives the same results isolated and in process") {
  IsolatedOptions options = by_weir();
  options.processes = 1;
  PluginRig in_process = PluginRig::in_process(WEIR_DOCS_ASYNC);
  PluginRig isolated(WEIR_DOCS_ASYNC, options);
  const TemporaryFolder folder;
  for (const char* input : {R"({"id": 7, "polls": 0})", R"({"id": 8, "polls": 3})",
                            R"({"id": 9, "polls": -1})", R"({"id": "x"})", "null"}) {
    CAPTURE(input);
    CHECK(run(isolated, input, folder).results == run(in_process, input, folder).results);
  }
  CHECK(run(isolated, R"({"id": 8, "polls": 3})", folder).results.contains("quote 8"));
}

TEST_CASE("A panic in Rust that runs into the C ABI ends its process and no more") {
  if (std::string_view(WEIR_RUSTC).empty()) {
    MESSAGE("skipped: there is no rustc");
    return;
  }
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "panics.so";
  const auto built = weir::testing::run_program(
      WEIR_RUSTC,
      {"-A", "warnings", "-o", file, fs::path(WEIR_SOURCE_DIR) / "tests/fixtures/deeds/panics.rs"});
  REQUIRE_MESSAGE(built.code == 0, built.err);
  PluginRig rig(file, by_weir());
  CHECK(result_text(rig.run("calm")) == "completed: \"calm\"");
  CHECK(result_text(rig.run("panic"))
            .starts_with("failed worker_crashed: step \"panics.do\" of plugin \"panics\" ended its "
                         "process: signal 6 (SIGABRT)"));
  CHECK(result_text(rig.run("calm")) == "completed: \"calm\"");
}

TEST_SUITE_END();
