#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <weir/testing/flow_runner.hpp>

#include "base/json.hpp"
#include "base/json_difference.hpp"
#include "cli/commands.hpp"
#include "cli/json_argument.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"
#include "plugin/inspection.hpp"

namespace weir::cli {
namespace {

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
    console.say(fmt::format("{}: {}: {}", line.level, line.step, line.message));
  console.print(table.text(out));
  console.print(fmt::format("\n{}  {} after {} of virtual time\n", flow,
                            painted(out, run.completed() ? Tone::good : Tone::bad, run.status()),
                            shown_duration(run.elapsed())));
  console.print(run.completed() ? fmt::format("output  {}\n", run.output())
                                : fmt::format("error   {}\n", run.error()));
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

}  // namespace

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
      console.say(fmt::format("weir: error: at \"{}\" expected {}, got {}", differs->pointer,
                              differs->before.empty() ? "nothing" : differs->before,
                              differs->after.empty() ? "nothing" : differs->after));
    return run.completed() && !differs ? ExitCode::ok : ExitCode::failed;
  } catch (const std::invalid_argument& refused) {  // the flow, the input: the message says it all
    return console.fail(Error{.code = ErrorCode::invalid_input,
                              .kind = "cannot_try",
                              .message = refused.what(),
                              .hint = {}});
  }
}

}  // namespace weir::cli
