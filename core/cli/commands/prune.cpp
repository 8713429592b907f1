#include "cli/commands/prune.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "config/quantity.hpp"
#include "serve/retention.hpp"

namespace weir::cli {
namespace {

constexpr std::int64_t batch = 1'000;

Error argument_error(std::string message, std::string hint) {
  return {.code = ErrorCode::invalid_input,
          .kind = "wrong_argument",
          .message = std::move(message),
          .hint = std::move(hint)};
}

// The retention from the command line, or else from flows.yaml.
Result<Retention> requested_retention(const Prune& command, const Config& config) {
  Retention retention = retention_of(config);
  if (command.older_than) {
    const auto age = parse_duration(*command.older_than);
    if (!age)
      return std::unexpected(argument_error(
          fmt::format("--older-than: expected an age such as \"30d\" or \"12h\", got \"{}\"",
                      *command.older_than),
          {}));
    retention = command.flow ? Retention{.age = {}, .flows = {{*command.flow, *age}}}
                             : Retention{.age = *age, .flows = {}};
  } else if (command.flow) {
    const auto own = retention.flows.find(*command.flow);
    const auto age = own == retention.flows.end() ? retention.age : own->second;
    retention = {.age = {}, .flows = {{*command.flow, age}}};
  }
  if (!retention.prunes())
    return std::unexpected(argument_error("no age: flows.yaml keeps these runs for ever",
                                          "give --older-than 30d, or set retention in flows.yaml"));
  return retention;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string summary(const PruneReport& total, bool dry) {
  std::string text =
      fmt::format("{}, {}", counted(total.runs, "run"), counted(total.journal_rows, "attempt"));
  if (total.partitions > 0) text += ", " + counted(total.partitions, "partition");
  if (total.workers > 0) text += ", " + counted(total.workers, "worker");
  return text + (dry ? " would be deleted" : " deleted");
}

Json summary_json(const PruneReport& total, bool dry) {
  return Json::object(
      std::vector<std::pair<std::string, Json>>{{"dry_run", Json::boolean(dry)},
                                                {"runs", Json::number(total.runs)},
                                                {"attempts", Json::number(total.journal_rows)},
                                                {"partitions", Json::number(total.partitions)},
                                                {"workers", Json::number(total.workers)}});
}

constexpr std::string_view prune_footer =
    R"(Deletes runs that ended longer ago than --older-than, or else than the retention
of flows.yaml, with their steps, signals, idempotency keys and children; in
small transactions, while everything else continues. Open runs are not deleted.

Examples:
  weir prune --dry-run
  weir prune --older-than 30d
  weir prune --older-than 7d --flow import_orders)";

ExitCode run(const Prune& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto retention = requested_retention(command, opened->config);
  if (!retention) {
    console.fail(retention.error());
    return ExitCode::usage;
  }
  PruneReport total;
  for (bool finished = false; !finished;) {
    const auto done = opened->store->prune(*retention, total.cursor, batch, command.dry_run);
    if (!done) return console.fail(done.error());
    total.runs += done->runs;
    total.journal_rows += done->journal_rows;
    total.partitions += done->partitions;
    total.workers += done->workers;
    total.cursor = done->cursor;
    finished = done->finished;
    if (console.out().live && !command.json) {
      console.print(fmt::format("\r\033[K{}", finished ? "" : summary(total, command.dry_run)));
      if (const auto flushed = console.flush(); !flushed) return console.fail(flushed.error());
    }
  }
  console.print(command.json ? fmt::format("{}\n", summary_json(total, command.dry_run).text())
                             : summary(total, command.dry_run) + '\n');
  return ExitCode::ok;
}

}  // namespace

void declare_prune(Grammar& grammar) {
  auto [arguments, prune] = grammar.command<Prune>(
      grammar.root(), "prune", "Delete runs that ended long ago", prune_footer, run);
  arguments.option("--older-than", prune.older_than, "Ended longer ago than this: 30d, 12h", "AGE")
      .option("--flow", prune.flow, "Only runs of this flow", "SLUG")
      .flag("--dry-run", prune.dry_run, "Only count what would be deleted")
      .json(prune.json);
}

}  // namespace weir::cli
