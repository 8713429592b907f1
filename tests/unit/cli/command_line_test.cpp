#include "cli/command_line/command_line.hpp"

#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "base/display_width.hpp"
#include "cli/commands/flows.hpp"
#include "cli/commands/init.hpp"
#include "cli/commands/plugins.hpp"
#include "cli/commands/runs.hpp"
#include "cli/commands/start.hpp"
#include "cli/commands/workers.hpp"
#include "unit/cli/command.hpp"

using namespace weir::cli;
using weir::testing::command;
using Words = std::vector<std::string>;

namespace {

Answer answer(const Words& words) {
  const auto read = parse_command_line(words);
  REQUIRE(std::holds_alternative<Answer>(read));
  return std::get<Answer>(read);
}

std::string joined(const Words& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

TEST_SUITE_BEGIN("cli: command line");

TEST_CASE("every argument arrives in the command's struct") {
  CHECK(command<Init>({"init"}).folder == ".");
  CHECK(command<Init>({"init", "shop"}).folder == "shop");
  CHECK(command<PluginsLint>({"plugins", "lint", "a.so", "b.so", "--json"}).files.size() == 2);
  CHECK(command<PluginsLint>({"plugins", "lint", "a.so", "--json"}).json);
  CHECK(command<FlowsList>({"flows", "list", "--json"}).json);
  CHECK(command<FlowsShow>({"flows", "show", "shop.Order", "--dot"}).dot);
  CHECK(command<PluginsList>({"plugins", "list", "--json"}).json);
  CHECK(command<FlowsVersions>({"flows", "versions", "order", "--json"}).slug == "order");
  const auto adopt = command<FlowsAdopt>({"flows", "adopt", "order", "--from", "1", "--to", "2"});
  CHECK(adopt.slug == "order");
  CHECK(adopt.from == 1);
  CHECK(adopt.to == 2);
  CHECK_FALSE(command<FlowsAdopt>({"flows", "adopt", "order"}).from.has_value());

  const auto start = command<Start>(
      {"start", "order", "--input", "[1,2]", "--key", "k", "--delay", "5m", "--wait"});
  CHECK(start.flow == "order");
  CHECK(start.input == "[1,2]");
  CHECK(start.key == "k");
  CHECK(start.delay == "5m");
  CHECK(start.wait);
  CHECK_FALSE(start.json);
  CHECK(command<Start>({"start", "order"}).input == "null");
  CHECK(command<Start>({"start", "order", "--input", "-"}).input == "-");
  CHECK(command<Start>({"start", "order", "--input", "-5"}).input == "-5");
  CHECK(command<Start>({"start", "order", "--input", "@a b.json"}).input == "@a b.json");

  const auto list =
      command<RunsList>({"runs", "list", "--flow", "order", "--status", "failed", "--limit", "7"});
  CHECK(list.flow == "order");
  CHECK(list.status == "failed");
  CHECK(list.limit == 7);
  CHECK(command<RunsList>({"runs", "list"}).limit == 20);
  CHECK(command<RunsShow>({"runs", "show", "id", "--json"}).json);
  CHECK(command<RunsWatch>({"runs", "watch", "id"}).id == "id");

  const auto later = command<Start>({"start", "order", "--at", "2026-11-21 18:00", "--priority",
                                     "-5", "--tag", "a", "--tag", "b c", "--version", "2"});
  CHECK(later.at == "2026-11-21 18:00");
  CHECK(later.priority == -5);
  CHECK(later.tags == Words{"a", "b c"});
  CHECK(later.version == 2);
  const auto filtered = command<RunsList>({"runs", "list", "--tag", "a", "--since", "2h", "--until",
                                           "1h", "--input", "{}", "--output", "[]"});
  CHECK(filtered.tag == "a");
  CHECK(filtered.since == "2h");
  CHECK(filtered.until == "1h");
  CHECK(filtered.input == "{}");
  CHECK(filtered.output == "[]");
  const auto cancel = command<RunsCancel>({"runs", "cancel", "x", "y", "--reason", "no use"});
  CHECK(cancel.ids == Words{"x", "y"});
  CHECK(cancel.reason == "no use");
  CHECK(command<RunsRetry>({"runs", "retry", "x", "y", "--json"}).ids.size() == 2);
  const auto signal = command<RunsSignal>({"runs", "signal", "x", "go", "--payload", "-"});
  CHECK(signal.name == "go");
  CHECK(signal.payload == "-");
  CHECK(command<RunsSignal>({"runs", "signal", "x", "go"}).payload == "null");
  CHECK(command<FlowsPause>({"flows", "pause", "order"}).slug == "order");
  CHECK(command<FlowsResume>({"flows", "resume", "order"}).slug == "order");
  CHECK(command<WorkersList>({"workers", "list", "--limit", "5"}).limit == 5);
}

TEST_CASE("the configuration and the database may be named before and after a command") {
  for (const Words& words :
       {Words{"--config", "a.yaml", "--database", "postgresql://x", "flows", "list"},
        Words{"flows", "list", "--config", "a.yaml", "--database", "postgresql://x"},
        Words{"flows", "--config=a.yaml", "list", "--database=postgresql://x"}}) {
    CAPTURE(joined(words));
    const auto read = parse_command_line(words);
    REQUIRE(std::holds_alternative<CommandLine>(read));
    CHECK(std::get<CommandLine>(read).globals.config == "a.yaml");
    CHECK(std::get<CommandLine>(read).globals.database == "postgresql://x");
  }
}

TEST_CASE("mistakes name the nearest word and the help that tells more") {
  const std::vector<std::pair<Words, std::string>> mistakes = {
      {{"flow"}, "weir: unknown command \"flow\"; did you mean \"flows\"?\nTry \"weir --help\".\n"},
      {{"flows"}, "weir flows: a command is missing\nTry \"weir flows --help\".\n"},
      {{"flows", "lst"},
       "weir flows: unknown command \"lst\"; did you mean \"list\"?\nTry \"weir flows --help\".\n"},
      {{"flows", "list", "--jsn"},
       "weir flows list: unknown argument \"--jsn\"; did you mean \"--json\"?\nTry \"weir flows "
       "list --help\".\n"},
      {{"flows", "list", "--confg", "x"},
       "weir flows list: unknown argument \"--confg\"; did you mean \"--config\"?\nTry \"weir "
       "flows list --help\".\n"},
      {{"flows", "list", "extra"},
       "weir flows list: unknown argument \"extra\"\nTry \"weir flows list --help\".\n"},
      {{"start"}, "weir start: SLUG is required\nTry \"weir start --help\".\n"},
      {{"migrate", "--check", "--print"},
       "weir migrate: --check excludes --print\nTry \"weir migrate --help\".\n"},
      {{"flows", "show", "a", "--json", "--dot"},
       "weir flows show: --json excludes --dot\nTry \"weir flows show --help\".\n"},
      {{"runs", "list", "--status", "faild"},
       "weir runs list: --status: no status \"faild\"; did you mean \"failed\"?\nTry \"weir runs "
       "list --help\".\n"},
      {{"runs", "list", "--limit", "0"},
       "weir runs list: --limit: expected 1 to 99999, got \"0\"\nTry \"weir runs list --help\".\n"},
      {{"runs", "list", "--limit", "many"},
       "weir runs list: --limit: expected 1 to 99999, got \"many\"\nTry \"weir runs list "
       "--help\".\n"},
  };
  const std::string wrong_priority = answer({"start", "order", "--priority", "101"}).text;
  CHECK(wrong_priority ==
        "weir start: --priority: expected -100 to 100, got \"101\"\nTry \"weir start --help\".\n");
  CHECK(answer({"start", "order", "--delay", "1h", "--at", "2026-11-21"}).text ==
        "weir start: --delay excludes --at\nTry \"weir start --help\".\n");
  for (const auto& [words, text] : mistakes) {
    const Answer result = answer(words);
    CHECK(result.text == text);
    CHECK(result.code == ExitCode::usage);
  }
}

TEST_CASE("the version is the project's") {
  CHECK(answer({"--version"}).text == "weir 0.1.0\n");
  CHECK(answer({"--version"}).code == ExitCode::ok);
}

TEST_CASE("the first help lists every command") {
  const std::string help = answer({"--help"}).text;
  for (const Words& words : all_commands())
    CHECK_MESSAGE(help.contains("\n  " + joined(words) + " "), joined(words));
  CHECK(help.contains("Exit codes: 0 ok; 1 failed;"));
  CHECK(help.contains("--config FILE"));
  CHECK(help.contains("--database URL"));
}

TEST_CASE("no command at all is answered with the help and is a mistake") {
  CHECK(answer({}).text == answer({"--help"}).text);
  CHECK(answer({}).code == ExitCode::usage);
}

TEST_CASE("every help begins with what can be typed and teaches by example in 80 columns") {
  for (Words words : all_commands()) {
    const std::string name = "weir " + joined(words);
    words.emplace_back("--help");
    const Answer result = answer(words);
    CAPTURE(result.text);
    CHECK(result.code == ExitCode::ok);
    CHECK(result.text.contains("\nUsage: " + name));
    const std::size_t examples = result.text.find("Example");
    REQUIRE(examples != std::string::npos);
    CHECK(result.text.find("\n  " + name, examples) != std::string::npos);
    std::istringstream lines(result.text);
    for (std::string line; std::getline(lines, line);)
      CHECK_MESSAGE(weir::display_width(line) <= 80, line);
  }
}

TEST_CASE("help is given also where arguments are missing") {
  CHECK(answer({"start", "--help"}).text == answer({"start", "-h"}).text);
  CHECK(answer({"start", "--help"})
            .text.starts_with("Start a run\n\nUsage: weir start SLUG [OPTION...]\n"));
}
