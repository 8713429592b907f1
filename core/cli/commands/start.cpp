#include "cli/commands/start.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/catalogue.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/command_line/json_argument.hpp"
#include "cli/command_line/time_argument.hpp"
#include "cli/database.hpp"
#include "cli/terminal/follow.hpp"
#include "cli/views/run_view.hpp"
#include "client/client.hpp"
#include "client/run_json.hpp"
#include "config/quantity.hpp"
#include "store/flow_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"

namespace weir::cli {
namespace {

Error wrong_argument(std::string message, std::string hint) {
  return {.code = ErrorCode::invalid_input,
          .kind = "bad_argument",
          .message = std::move(message),
          .hint = std::move(hint)};
}

// Registers the version of a flow that no worker has registered yet but that a plugin here has, so
// that runs can be started before the first worker.
bool make_known(const std::string& slug, const Opened& opened) {
  const auto catalogue = read_catalogue(opened.config);
  if (!catalogue) return false;
  const auto flow = catalogue->find(slug);
  if (!flow || (*flow)->definition.slug().view() != slug) return false;
  const auto store = postgres::open_worker_store(opened.database.url());
  return store && (*store)->flows().register_version((*flow)->definition);
}

Json started_json(const StartedRun& run, std::string_view status) {
  return Json::object(
      std::vector<std::pair<std::string, Json>>{{"run_id", Json::string(run.id)},
                                                {"created", Json::boolean(run.created)},
                                                {"status", Json::string(status)}});
}

constexpr std::string_view start_footer =
    R"(Prints the run's id. With --wait it shows progress, then the run as "weir runs
show" does, and exits 1 when the run failed. The same --key on the same flow
gives the same run, however many times it is started.

Examples:
  weir start hello --wait
  weir start text_report --input '{"folder": "/usr/share/common-licenses"}'
  weir start process_order --input @order.json --key order-123 --wait
  jq -c .order mail.json | weir start process_order --input - --delay 5m
  weir start nightly_report --at "2026-12-24 03:00" --priority 10 --tag eve)";

ExitCode run(const Start& command, const Globals& globals, Console& console) {
  RunOptions options;
  if (command.key) options.idempotency_key = *command.key;
  if (command.delay) {
    options.delay = parse_duration(*command.delay);
    if (!options.delay)
      return console.fail(wrong_argument(
          fmt::format("--delay: expected a duration such as \"500ms\" or \"2s\", got \"{}\"",
                      *command.delay),
          {}));
  }
  if (command.at) {
    const auto at = read_time_argument("--at", *command.at, console);
    if (!at) return at.error();
    options.at = *at;
  }
  options.priority = command.priority;
  options.tags = command.tags;
  options.version = command.version;
  const auto input = read_json_argument("--input", command.input, console);
  if (!input) return input.error();
  const auto opened = open_store(globals, console, Database::IfMissing::make);
  if (!opened) return opened.error();

  RunStore& store = *opened->store;
  Client client = client_on(store);
  auto started = client.start(command.flow, *input, options);
  if (!started && started.error().code == ErrorCode::not_found && make_known(command.flow, *opened))
    started = client.start(command.flow, *input, options);
  if (!started) return console.fail(started.error());
  const StartedRun& run = *started;
  if (!run.created)
    console.note(
        fmt::format("key \"{}\" was used before: this is the run it started", *command.key));

  if (command.wait) {
    const auto report = follow(store, run.id, console);
    if (!report) return report.error();
    console.print(command.json ? fmt::format("{}\n", run_json(*report).text())
                               : run_text(*report, console.out()));
    return report->summary.status == "completed" ? ExitCode::ok : ExitCode::failed;
  }
  if (!command.json) {
    console.print(run.id + "\n");
    return ExitCode::ok;
  }
  const auto summary = store.summary(run.id);
  if (!summary) return console.fail(summary.error());
  console.print(fmt::format("{}\n", started_json(run, summary->status).text()));
  return ExitCode::ok;
}

}  // namespace

void declare_start(Grammar& grammar) {
  auto [arguments, start] =
      grammar.command<Start>(grammar.root(), "start", "Start a run", start_footer, run);
  arguments.argument("SLUG", start.flow, "The flow", Arguments::Need::required)
      .option("--input", start.input, "JSON, @FILE, or - for stdin; default null", "JSON|@FILE|-")
      .option("--key", start.key, "Idempotency key", "K")
      .option("--delay", start.delay, "Start it later: 500ms, 2s, 5m, 1h, 1d", "D")
      .option("--at", start.at, "Start it then: 2026-11-21T18:00+01:00; default UTC", "TIME", {},
              "--delay")
      .option("--priority", start.priority, "-100 to 100, higher ones first; default 0", "N",
              between(-100, 100))
      .option("--tag", start.tags, "A tag to find it by; may be repeated", "T")
      .option("--version", start.version, "Default: the newest that a worker has", "N", positive(9))
      .flag("--wait", start.wait, "Wait for its end; exit 1 when it failed")
      .json(start.json);
}

}  // namespace weir::cli
