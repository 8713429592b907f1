#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view start_footer =
    R"(Prints the run's id. With --wait shows progress, then the run as "weir runs
show" does, and exits 1 when it failed. The same --key on the same flow gives
the same run, however often it is started.

Examples:
  weir start hello --wait
  weir start text_report --input '{"folder": "/usr/share/common-licenses"}'
  weir start process_order --input @order.json --key order-123 --wait
  jq -c .order mail.json | weir start process_order --input - --delay 5m
  weir start nightly_report --at "2026-12-24 03:00" --priority 10 --tag eve)";

}  // namespace

void declare_start(Grammar& grammar) {
  auto [words, start] =
      grammar.command<Start>(grammar.root(), "start", "Start a run", start_footer);
  words.argument("SLUG", start.flow, "The flow", Words::Need::required)
      .option("--input", start.input, "JSON, @FILE, or - for stdin; default null", "JSON|@FILE|-")
      .option("--key", start.key, "Idempotency key", "K")
      .option("--delay", start.delay, "Start it later: 500ms, 2s, 5m, 1h, 1d", "D")
      .option("--at", start.at, "Start it then: 2026-11-21T18:00+01:00; UTC if bare", "TIME", {},
              "--delay")
      .option("--priority", start.priority, "-100 to 100, higher ones first; default 0", "N",
              between(-100, 100))
      .option("--tag", start.tags, "To find it by; may be repeated", "T")
      .option("--version", start.version, "Of the flow; default: the newest", "N", positive(9))
      .flag("--wait", start.wait, "Wait for its end; exit 1 when it failed")
      .json(start.json);
}

}  // namespace weir::cli
