#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view migrate_footer =
    R"(Every command that needs the database does the same when it begins; this does
it apart, as another user, say. Safe while others run. A database newer than
this program is refused and left alone.

Example:
  weir migrate --database postgresql://admin@db.example.org/weir)";

constexpr std::string_view doctor_footer =
    R"(Looks at the configuration, every plugin and the database, and says what is
right, what is wrong, and how to mend it. Exits 0 when nothing is wrong.

Example:
  weir doctor)";

constexpr std::string_view serve_footer =
    R"(SIGTERM or Ctrl-C lets running steps finish (worker.drain_timeout) and gives
back the rest; a second one gives back everything at once. Any number of
"weir serve" may share one database.

Every plugin is tried in a process apart before it is loaded. What came of it is
remembered while its bytes, this program and the libraries it needs are the
same; --rescan tries all again.

Examples:
  weir serve
  weir serve --config /etc/weir/flows.yaml)";

}  // namespace

void declare_service(Grammar& grammar) {
  grammar.command<Migrate>(grammar.root(), "migrate",
                           "Bring the database's schema up to this program", migrate_footer);
  grammar.command<Doctor>(grammar.root(), "doctor",
                          "Say what is right and wrong, and how to mend it", doctor_footer);
  auto [words, serve] = grammar.command<Serve>(
      grammar.root(), "serve", "Load the plugins and run steps until SIGTERM", serve_footer);
  words.flag("--rescan", serve.rescan, "Try every plugin again, also those known to be sound");
}

}  // namespace weir::cli
