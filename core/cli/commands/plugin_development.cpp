#include "cli/commands/plugin_development.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <weir/testing/flow_runner.hpp>

#include "base/json.hpp"
#include "base/json_difference.hpp"
#include "base/printable.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/command_line/json_argument.hpp"
#include "cli/database.hpp"
#include "cli/new_files.hpp"
#include "cli/plugin_template.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/times.hpp"
#include "plugin/inspection.hpp"
#include "trial/replay.hpp"
#include "trial/trial_flow.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view plugins_new_footer =
    R"(Writes a folder with a source, a CMakeLists.txt, a test and a README.md. It
builds and passes its test without changes. NAME becomes the name of the plugin
and of its flow. Existing files are never overwritten.

Examples:
  weir plugins new order_totals
  weir plugins new order_totals src/orders --lang rust
  cmake -B build && cmake --build build && ctest --test-dir build)";

ExitCode run(const PluginsNew& command, const Globals&, Console& console) {
  namespace fs = std::filesystem;
  if (const auto named = check_plugin_name(command.name); !named)
    return console.fail(named.error());
  const auto language = command.language == "c"      ? PluginLanguage::c
                        : command.language == "rust" ? PluginLanguage::rust
                                                     : PluginLanguage::cpp;
  const fs::path shown = command.folder.value_or(command.name).lexically_normal();
  std::error_code ec;
  const fs::path folder = fs::absolute(shown, ec).lexically_normal();
  const fs::path root = folder.has_filename() ? folder : folder.parent_path();
  if (fs::exists(fs::symlink_status(root, ec)) &&
      !(fs::is_directory(root, ec) && fs::is_empty(root, ec)))
    return console.fail(
        Error{.code = ErrorCode::conflict,
              .kind = "files_exist",
              .message = fmt::format("already there: {}; nothing was written", shown.string()),
              .hint = "name another folder after the plugin's name, or move it away"});

  if (const auto made = make_folders(root); !made) return console.fail(made.error());
  for (const NewFile& file : new_plugin(language, command.name)) {
    if (const auto written = write_new(root / file.name, file.text); !written)
      return console.fail(written.error());
    console.print(fmt::format("wrote {}\n", (shown / file.name).string()));
  }
  console.print(
      fmt::format("\nNext:\n  cd {}\n  cmake -B build && cmake --build build\n  ctest --test-dir "
                  "build\n",
                  shown.string()));
  return ExitCode::ok;
}

void declare_plugins_new(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, made] = grammar.command<PluginsNew>(
      plugins, "new", "Write a new plugin, ready to build", plugins_new_footer, run);
  arguments.argument("NAME", made.name, "Letters, digits and _", Arguments::Need::required)
      .argument("DIR", made.folder, "The folder; default: NAME")
      .option("--lang", made.language, "cpp, c or rust; default cpp", "LANG",
              one_of("language", {"cpp", "c", "rust"}));
}

using testing::FinishedRun;
using testing::TriedAttempt;
using Member = std::pair<std::string, Json>;

Json attempt_json(const TriedAttempt& attempt) {
  std::vector<Member> members = {
      {"step", Json::string(attempt.step)},
      {"task_index", Json::number(static_cast<std::int64_t>(attempt.index))},
      {"attempt", Json::number(attempt.number)},
      {"outcome", Json::string(attempt.outcome)},
      {"waited_us", Json::number(attempt.waited.count())},
      {"took_us", Json::number(attempt.took.count())},
      {"input", Json::trusted(attempt.input)}};
  if (!attempt.output.empty()) members.emplace_back("output", Json::trusted(attempt.output));
  if (!attempt.error.empty()) {
    members.emplace_back("error_code", Json::string(attempt.error_code));
    members.emplace_back("error", Json::string(attempt.error));
  }
  return Json::object(members);
}

Json run_json(const std::string& flow, const FinishedRun& run,
              const std::optional<JsonDifference>& differs) {
  std::vector<Json> attempts, logs;
  for (const TriedAttempt& attempt : run.attempts()) attempts.push_back(attempt_json(attempt));
  for (const auto& line : run.logs())
    logs.push_back(Json::object(std::vector<Member>{{"step", Json::string(line.step)},
                                                    {"level", Json::string(line.level)},
                                                    {"message", Json::string(line.message)}}));
  std::vector<Json> skipped;
  for (const auto& step : run.skipped())
    skipped.push_back(Json::object(std::vector<Member>{{"step", Json::string(step.step)},
                                                       {"reason", Json::string(step.reason)}}));
  std::vector<Member> members = {{"flow", Json::string(flow)},
                                 {"status", Json::string(run.status())},
                                 {"elapsed_us", Json::number(run.elapsed().count())},
                                 {"attempts", Json::array(attempts)},
                                 {"skipped", Json::array(skipped)},
                                 {"logs", Json::array(logs)}};
  if (run.completed())
    members.emplace_back("output", Json::trusted(run.output()));
  else
    members.emplace_back("error", Json::string(run.error()));
  if (differs) members.emplace_back("differs_at", Json::string(differs->pointer));
  return Json::object(members);
}

void print(const std::string& flow, const FinishedRun& run, Console& console) {
  const Terminal& out = console.out();
  Table table({{"STEP", Table::Column::whole},
               {"ATTEMPT", Table::Column::right},
               {"OUTCOME", Table::Column::whole},
               {"WAITED", Table::Column::right},
               {"RESULT"}});
  for (const TriedAttempt& attempt : run.attempts()) {
    const bool good = attempt.outcome == "completed";
    table.add(
        {{attempt.index > 0 ? fmt::format("{}[{}]", attempt.step, attempt.index) : attempt.step},
         {std::to_string(attempt.number)},
         {attempt.outcome, good ? Tone::good : Tone::bad},
         {attempt.waited.count() > 0 ? shown_duration(attempt.waited) : ""},
         {attempt.error.empty() ? attempt.output : attempt.error}});
  }
  for (const auto& step : run.skipped())
    table.add({{step.step}, {""}, {"skipped", Tone::faint}, {""}, {step.reason}});
  for (const auto& line : run.logs())
    console.print_err(fmt::format("{}: {}: {}", line.level, line.step,
                                  printable(line.message, Newlines::indented)));
  console.print(table.text(out));
  console.print(fmt::format("\n{}  {} after {} of virtual time\n", flow,
                            painted(out, run.completed() ? Tone::good : Tone::bad, run.status()),
                            shown_duration(run.elapsed())));
  console.print(
      fmt::format("{}{}\n", run.completed() ? "output  " : "error   ",
                  printable(run.completed() ? run.output() : run.error(), Newlines::indented)));
}

struct Signal {
  std::string name;
  Json payload;
};

std::expected<std::vector<Signal>, ExitCode> read_signals(const std::vector<std::string>& given,
                                                          Console& console) {
  std::vector<Signal> signals;
  for (const std::string& each : given) {
    const std::size_t equals = each.find('=');
    const std::expected<Json, ExitCode> payload =
        equals == std::string::npos
            ? Json()
            : read_json_argument("--signal", each.substr(equals + 1), console);
    if (!payload) return std::unexpected(payload.error());
    signals.push_back({each.substr(0, equals), *payload});
  }
  return signals;
}

constexpr std::string_view plugins_try_footer =
    R"(Runs one flow of a plugin in this process, in memory: no database, no worker.
Time is virtual: backoff, delays and the sleeps of asynchronous steps pass at
once. A step that fails is retried as its options say. A wait ends with the
signal given here, or else times out immediately. A step that starts a flow of
the same plugin runs that flow too. Exits 1 when the run failed, or when its
output is not the expected one (the order of keys does not matter).

Examples:
  weir plugins try build/shop.so --input '{"id": 7}'
  weir plugins try build/shop.so --flow order_totals --input @order.json
  weir plugins try build/hello.so --input '"Ada"' --expect '{"sign": "Ada"}'
  weir plugins try build/claims.so --signal 'approval={"granted": true}')";

ExitCode run(const PluginsTry& command, const Globals&, Console& console) {
  const auto input = read_json_argument("--input", command.input, console);
  if (!input) return input.error();
  std::optional<Json> expected;
  if (command.expect) {
    auto read = read_json_argument("--expect", *command.expect, console);
    if (!read) return read.error();
    expected = *std::move(read);
  }
  const auto signals = read_signals(command.signals, console);
  if (!signals) return signals.error();
  if (const auto sound = inspect(command.file); !sound)
    return console.fail(to_error(sound.error()));
  try {
    auto runner = testing::FlowRunner::load(command.file, command.flow);
    for (const Signal& each : *signals) runner.signal(each.name, each.payload.text());
    const FinishedRun run = runner.run(input->text());
    const auto differs = expected && run.completed()
                             ? first_difference(*expected, Json::trusted(run.output()))
                             : std::nullopt;
    if (command.json)
      console.print(fmt::format("{}\n", run_json(runner.flow(), run, differs).text()));
    else
      print(runner.flow(), run, console);
    if (differs)
      console.print_err(
          printable(fmt::format("weir: error: at \"{}\" expected {}, got {}", differs->pointer,
                                differs->before.empty() ? "nothing" : differs->before,
                                differs->after.empty() ? "nothing" : differs->after),
                    Newlines::indented));
    return run.completed() && !differs ? ExitCode::ok : ExitCode::failed;
  } catch (const std::invalid_argument& refused) {  // the message says what: the flow, the input
    return console.fail(Error{.code = ErrorCode::invalid_input,
                              .kind = "cannot_try",
                              .message = refused.what(),
                              .hint = {}});
  }
}

void declare_plugins_try(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, tried] = grammar.command<PluginsTry>(
      plugins, "try", "Run a flow of a plugin in memory", plugins_try_footer, run);
  arguments.argument("FILE", tried.file, "The plugin", Arguments::Need::required)
      .option("--flow", tried.flow, "Slug or module name; default: the only one", "NAME")
      .option("--input", tried.input, "JSON, @FILE, or - for stdin; default null", "JSON|@FILE|-")
      .option("--expect", tried.expect, "The output it must have", "JSON|@FILE|-")
      .option("--signal", tried.signals, "A signal for a wait; may be repeated", "NAME=JSON")
      .json(tried.json);
}

using Member = std::pair<std::string, Json>;
using Verdict = ReplayedAttempt::Verdict;

std::string replay_detail(const ReplayedAttempt& attempt) {
  const auto or_nothing = [](const std::string& json) { return json.empty() ? "nothing" : json; };
  if (attempt.verdict == Verdict::differs)
    return fmt::format("at \"{}\": {} -> {}", attempt.difference.pointer,
                       or_nothing(attempt.difference.before), or_nothing(attempt.difference.after));
  return attempt.error;
}

Json attempt_json(const ReplayedAttempt& attempt) {
  std::vector<Member> members = {
      {"step", Json::string(attempt.step)},
      {"task_index", Json::number(static_cast<std::int64_t>(attempt.index))},
      {"attempt", Json::number(attempt.attempt)},
      {"recorded", Json::string(name(attempt.recorded))},
      {"verdict", Json::string(name(attempt.verdict))}};
  if (attempt.verdict == Verdict::differs) {
    members.emplace_back("differs_at", Json::string(attempt.difference.pointer));
    members.emplace_back("before", Json::string(attempt.difference.before));
    members.emplace_back("after", Json::string(attempt.difference.after));
  }
  if (!attempt.error.empty()) {
    members.emplace_back("error_code", Json::string(attempt.error_code));
    members.emplace_back("error", Json::string(attempt.error));
  }
  return Json::object(members);
}

constexpr std::string_view plugins_replay_footer =
    R"(Runs the steps of a new build on the inputs of a run's recorded attempts, and
compares what they return with what was recorded. Nothing is written to the
database, but the steps have all their other side effects. They run in this
process, so a crash ends only this command. Exits 1 when an output differs, or
when a step fails that did not fail before.

Examples:
  weir plugins replay 0198c0de-0000-7000-8000-000000000000 --with build/shop.so
  weir plugins replay ID --with new.so --json | jq '.attempts[] | .verdict')";

ExitCode run(const PluginsReplay& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto recorded = opened->store->recorded(command.run);
  if (!recorded) return console.fail(recorded.error());
  const auto plugin = loaded_plugin(command.with);
  if (!plugin) return console.fail(plugin.error());
  auto flow = flow_of(*plugin, recorded->flow);
  if (!flow) return console.fail(flow.error());
  const auto attempts = replay(*recorded, FlowHandle(*std::move(flow)));
  if (!attempts) return console.fail(attempts.error());

  const auto differing = std::ranges::count_if(
      *attempts, [](const ReplayedAttempt& each) { return !is_as_before(each.verdict); });
  if (command.json) {
    std::vector<Json> all;
    for (const ReplayedAttempt& each : *attempts) all.push_back(attempt_json(each));
    console.print(fmt::format(
        "{}\n", Json::object(std::vector<Member>{{"run_id", Json::string(command.run)},
                                                 {"flow", Json::string(recorded->flow)},
                                                 {"version", Json::number(recorded->version)},
                                                 {"differing", Json::number(differing)},
                                                 {"attempts", Json::array(all)}})
                    .text()));
    return differing == 0 ? ExitCode::ok : ExitCode::failed;
  }
  Table table({{"STEP", Table::Column::whole},
               {"ATTEMPT", Table::Column::right},
               {"RECORDED", Table::Column::whole},
               {"NOW", Table::Column::whole},
               {"WHAT"}});
  for (const ReplayedAttempt& each : *attempts)
    table.add(
        {{each.index > 0 ? fmt::format("{}[{}]", each.step, each.index) : each.step},
         {std::to_string(each.attempt)},
         {std::string(name(each.recorded))},
         {std::string(name(each.verdict)), is_as_before(each.verdict) ? Tone::good : Tone::bad},
         {replay_detail(each)}});
  console.print(table.text(console.out()));
  console.print(fmt::format("\n{} of {} attempts differ\n", differing, attempts->size()));
  return differing == 0 ? ExitCode::ok : ExitCode::failed;
}

void declare_plugins_replay(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, replayed] = grammar.command<PluginsReplay>(
      plugins, "replay", "Run a new build on what a run recorded", plugins_replay_footer, run);
  arguments.argument("RUN", replayed.run, "The run's id", Arguments::Need::required)
      .required_option("--with", replayed.with, "The new build", "NEW.so")
      .json(replayed.json);
}

}  // namespace

void declare_plugin_development(Grammar& grammar, CLI::App& plugins) {
  declare_plugins_new(grammar, plugins);
  declare_plugins_try(grammar, plugins);
  declare_plugins_replay(grammar, plugins);
}

}  // namespace weir::cli
