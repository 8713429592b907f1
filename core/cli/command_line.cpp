#include "cli/command_line.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/nearest.hpp"
#include "cli/version.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view root_footer = R"(Examples:
  weir init shop && cd shop     a folder with a configuration and a first flow
  weir flows list               what the plugins in plugins/ can do
  weir serve &                  run steps until SIGTERM
  weir start hello --wait       start a run and see it through

--config and --database may follow every command. Exit codes: 0 ok; 1 failed;
2 the command line, the input or flows.yaml has a mistake; 3 unavailable: the
database cannot be reached. "weir COMMAND --help" explains a command.)";

constexpr std::string_view init_footer =
    R"(Writes flows.yaml, .gitignore, plugins/, and src/ with a CMake project whose
plugin goes to plugins/. Files that are there already are never overwritten.

Examples:
  weir init                     here
  weir init shop                in shop/, which is made if it is not there
  cmake -S src -B build && cmake --build build     then builds the first plugin)";

constexpr std::string_view lint_footer =
    R"(Runs no code of a plugin. One line a file: "FILE: ok", or the kind of fault,
what was met and a hint. With --json one object a file. Exits 1 when a file is
refused. A sound file may have warnings: what will hurt one day, such as code
that cannot be unloaded. They do not count, but with --strict.

Examples:
  weir plugins lint plugins/*.so
  weir plugins lint --strict build/shop.so
  weir plugins lint build/shop.so --json | jq .warnings)";

constexpr std::string_view new_footer =
    R"(Writes a folder with a source, a CMakeLists.txt, a test and a README.md, which
builds and passes its test as it stands. NAME becomes the plugin's and the
flow's name. Nothing that is there is overwritten.

Examples:
  weir plugins new order_totals
  weir plugins new order_totals src/orders --lang rust
  cmake -B build && cmake --build build && ctest --test-dir build)";

constexpr std::string_view try_footer =
    R"(Runs one flow of a plugin in this process, in memory: no database, no worker.
Backoff and delays pass at once; a step that fails is tried again as its options
say. Exits 1 when the run failed, or its output is not the one expected (the
order of keys does not count).

Examples:
  weir plugins try build/shop.so --input '{"id": 7}'
  weir plugins try build/shop.so --flow order_totals --input @order.json
  weir plugins try build/hello.so --input '"Ada"' --expect '{"sign": "Ada"}')";

constexpr std::string_view diff_footer =
    R"(Compares what two builds of a plugin say of their flows; no code of them runs.
Compatible are flows with the same steps, kinds and dependencies, whatever their
options: open runs may be adopted by the new version. Exits 1 when a flow is not.

Examples:
  weir plugins diff plugins/shop.so build/shop.so
  weir plugins diff old.so new.so --json | jq .compatible)";

constexpr std::string_view replay_footer =
    R"(Runs the steps of a new build on the inputs of a run's recorded attempts, and
compares what they return with what was recorded. Nothing is written to the
database, but the steps do to the world what they do. They run in this process:
a fault of theirs ends this command alone. Exits 1 when an output differs, or a
step fails that did not.

Examples:
  weir plugins replay 0198c0de-0000-7000-8000-000000000000 --with build/shop.so
  weir plugins replay ID --with new.so --json | jq '.attempts[] | .verdict')";

constexpr std::string_view allow_footer =
    R"(Adds a file's sha256 to plugins.sha256_allow in flows.yaml, and leaves the rest
of it as it is. A file that lint refuses is refused. Once one plugin is listed,
no other is loaded.

Examples:
  weir plugins allow plugins/shop.so
  weir plugins allow build/*.so --config /etc/weir/flows.yaml)";

constexpr std::string_view plugins_list_footer =
    R"(What lies in the plugin folders, read without running any of it, and what every
live process says: live, former (open runs still need it), refused, quarantined,
unload_pinned. A file that no process speaks of is "sound" or "refused". Starts
no database.

Examples:
  weir plugins list
  weir plugins list --json | jq '.[] | select(.state == "refused")')";

constexpr std::string_view flows_list_footer =
    R"(Reads the plugin folders alone: no database, and no code of a plugin runs.
Plugins that are refused are warnings on stderr.

Examples:
  weir flows list
  weir flows list --json | jq -r '.[].slug')";

constexpr std::string_view flows_show_footer =
    R"(A label such as price[] is a map: one task for each element. The options are
those the flow runs with, the overrides of flows.yaml included.

Examples:
  weir flows show process_order
  weir flows show shop.ProcessOrder --json
  weir flows show process_order --dot | dot -Tsvg > order.svg)";

constexpr std::string_view flows_versions_footer =
    R"(Open runs end with the version they began with. "safe to remove": it is not the
newest, no open run is left, so no worker needs a plugin file with it any more.

Examples:
  weir flows versions process_order
  weir flows versions process_order --json | jq '.[] | select(.safe_to_remove)')";

constexpr std::string_view flows_adopt_footer =
    R"(Moves the open runs of one version to another with the same steps, kinds and
dependencies: at once those that no worker holds, the others as soon as one lets
go of them. New runs of the old version go on with the new one too. Adopting the
other way round takes it back.

Examples:
  weir flows adopt process_order                   all open runs to the newest
  weir flows adopt process_order --from 3 --to 2   back again)";

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

constexpr std::string_view start_footer =
    R"(Prints the run's id. With --wait shows progress, then the run as "weir runs
show" does, and exits 1 when it failed. The same --key on the same flow gives
the same run, however often it is started.

Examples:
  weir start hello --wait
  weir start text_report --input '{"folder": "/usr/share/common-licenses"}'
  weir start process_order --input @order.json --key order-123 --wait
  jq -c .order mail.json | weir start process_order --input - --delay 5m)";

constexpr std::string_view runs_list_footer = R"(The newest first.

Examples:
  weir runs list
  weir runs list --flow process_order --status failed --limit 100
  weir runs list --json | jq -r '.[].run_id')";

constexpr std::string_view runs_show_footer = R"(Examples:
  weir runs show 0198c0de-0000-7000-8000-000000000000
  weir runs show 0198c0de-0000-7000-8000-000000000000 --json | jq .output)";

constexpr std::string_view runs_watch_footer =
    R"(Shows every change of a step until the run is over; exits 1 when it failed.
Ctrl-C stops watching, not the run.

Example:
  weir runs watch 0198c0de-0000-7000-8000-000000000000)";

const std::vector<std::string> statuses = {"queued", "running", "completed", "failed", "cancelled"};

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : full_name(*app.get_parent()) + " " + app.get_name();
}

/// Help that begins with what can be typed, and fits 80 columns.
class Help : public CLI::Formatter {
 public:
  Help() { column_width(27); }

  std::string make_usage(const CLI::App* app, std::string) const override {
    std::string usage = "\nUsage: " + full_name(*app);
    for (const CLI::Option* each :
         app->get_options([](const CLI::Option* option) { return option->get_positional(); }))
      usage +=
          each->get_required() ? " " + each->get_name(true) : " [" + each->get_name(true) + "]";
    if (!app->get_subcommands([](const CLI::App*) { return true; }).empty()) usage += " COMMAND";
    return usage + " [OPTION...]\n";
  }

  /// Every command that can be typed: "flows list" rather than "flows".
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode) const override {
    std::string lines;
    const auto add = [&](const auto& self, const CLI::App* above,
                         const std::string& before) -> void {
      for (const CLI::App* each : above->get_subcommands([](const CLI::App*) { return true; })) {
        const std::string name = before + each->get_name();
        if (each->get_subcommands([](const CLI::App*) { return true; }).empty())
          lines += fmt::format("  {:<25}{}\n", name, each->get_description());
        self(self, each, name + " ");
      }
    };
    add(add, app, "");
    return lines.empty() ? lines : "\nCommands:\n" + lines;
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_positional() || option->get_type_size() == 0 ? ""
                                                                    : " " + option->get_type_name();
  }
};

/// The command line as CLI11 sees it, and what it fills.
class Grammar {
 public:
  Grammar()
      : root_("Durable flows written in C++: drop in a plugin, start runs, lose nothing.", "weir") {
    root_.set_version_flag("-V,--version", fmt::format("weir {}", version), "Print the version");
    root_.set_help_flag("-h,--help", "Print this help");
    const auto help = std::make_shared<Help>();
    help->label("Positionals", "Arguments");
    root_.formatter(help);  // commands declared below inherit it
    root_.footer(std::string(root_footer));
    root_.add_option("--config", globals_.config, "Default: $WEIR_CONFIG, else ./flows.yaml")
        ->type_name("FILE")
        ->envname("WEIR_CONFIG");
    root_.add_option("--database", globals_.database, "Instead of the database in flows.yaml")
        ->type_name("URL");

    declare_init();
    CLI::App& plugins = group(root_, "plugins", "Look at plugin files");
    declare_lint(plugins);
    declare_new(plugins);
    declare_try(plugins);
    declare_diff(plugins);
    declare_replay(plugins);
    declare_allow(plugins);
    declare_plugins_list(plugins);
    CLI::App& flows = group(root_, "flows", "Look at the flows that plugins hold");
    declare_flows_list(flows);
    declare_flows_show(flows);
    declare_flows_versions(flows);
    declare_flows_adopt(flows);
    command<Migrate>(root_, "migrate", "Bring the database's schema up to this program",
                     migrate_footer);
    command<Doctor>(root_, "doctor", "Say what is right and wrong, and how to mend it",
                    doctor_footer);
    auto [serving, serve] = command<Serve>(
        root_, "serve", "Load the plugins and run steps until SIGTERM", serve_footer);
    serving.add_flag("--rescan", serve.rescan,
                     "Try every plugin again, also those known to be sound");
    declare_start();
    CLI::App& runs = group(root_, "runs", "Look at runs");
    declare_runs_list(runs);
    declare_runs_show(runs);
    declare_runs_watch(runs);
  }

  std::variant<CommandLine, Answer> parse(std::vector<std::string> arguments) {
    const bool bare = arguments.empty();
    std::ranges::reverse(arguments);  // CLI11 takes them from the back
    try {
      root_.parse(arguments);
    } catch (const CLI::Success& asked) {
      std::string text = asked.get_name() == "CallForVersion" ? asked.what() : chosen().help();
      while (text.ends_with('\n')) text.pop_back();
      return Answer{ExitCode::ok, text + "\n"};
    } catch (const CLI::ParseError& refusal) {
      return wrong(refusal.what());
    }
    if (const auto filled = commands_.find(&chosen()); filled != commands_.end())
      return CommandLine{std::move(globals_), filled->second()};
    if (bare) return Answer{ExitCode::usage, root_.help()};
    return wrong("a command is missing");
  }

 private:
  /// A command: its struct lives as long as the grammar, and is handed out when it was chosen.
  template <class T>
  std::pair<CLI::App&, T&> command(CLI::App& above, const char* name, const char* description,
                                   std::string_view footer) {
    CLI::App& app = *above.add_subcommand(name, description);
    app.footer(std::string(footer));
    app.fallthrough();  // --config and --database may follow the command
    const auto filled = std::make_shared<T>();
    commands_[&app] = [filled] { return Command(std::move(*filled)); };
    return {app, *filled};
  }

  /// A word that needs another one.
  static CLI::App& group(CLI::App& above, const char* name, const char* description) {
    CLI::App& app = *above.add_subcommand(name, description);
    app.fallthrough();
    app.footer(fmt::format("\"weir {} COMMAND --help\" explains a command, with examples.", name));
    return app;
  }

  static void json_flag(CLI::App& app, bool& json) { app.add_flag("--json", json, "Print JSON"); }

  void declare_init() {
    auto [app, init] = command<Init>(
        root_, "init", "Write a configuration and a first plugin's source", init_footer);
    app.add_option("DIR", init.folder, "The folder; default: here");
  }

  void declare_lint(CLI::App& plugins) {
    auto [app, lint] =
        command<PluginsLint>(plugins, "lint", "Say whether plugin files are sound", lint_footer);
    app.add_option("FILE", lint.files, "Plugin files")->required();
    app.add_flag("--strict", lint.strict, "Exit 1 for warnings too");
    json_flag(app, lint.json);
  }

  void declare_new(CLI::App& plugins) {
    auto [app, made] =
        command<PluginsNew>(plugins, "new", "Write a new plugin, ready to build", new_footer);
    app.add_option("NAME", made.name, "Letters, digits and _")->required();
    app.add_option("DIR", made.folder, "The folder; default: NAME");
    app.add_option("--lang", made.language, "cpp, c or rust; default cpp")
        ->type_name("LANG")
        ->check([](const std::string& language) {
          const std::vector<std::string> known = {"cpp", "c", "rust"};
          if (std::ranges::find(known, language) != known.end()) return std::string();
          return fmt::format("no language \"{}\"; there are {}", language, fmt::join(known, ", "));
        });
  }

  void declare_try(CLI::App& plugins) {
    auto [app, tried] =
        command<PluginsTry>(plugins, "try", "Run a flow of a plugin in memory", try_footer);
    app.add_option("FILE", tried.file, "The plugin")->required();
    app.add_option("--flow", tried.flow, "Slug or module name; default: the only one")
        ->type_name("NAME");
    app.add_option("--input", tried.input, "JSON, @FILE, or - for stdin; default null")
        ->type_name("JSON|@FILE|-");
    app.add_option("--expect", tried.expect, "The output it is to have")->type_name("JSON|@FILE|-");
    json_flag(app, tried.json);
  }

  void declare_diff(CLI::App& plugins) {
    auto [app, compared] = command<PluginsDiff>(
        plugins, "diff", "Say what a new build means for open runs", diff_footer);
    app.add_option("OLD", compared.before, "A plugin")->required();
    app.add_option("NEW", compared.after, "The same, built anew")->required();
    json_flag(app, compared.json);
  }

  void declare_replay(CLI::App& plugins) {
    auto [app, replayed] = command<PluginsReplay>(
        plugins, "replay", "Run a new build on what a run recorded", replay_footer);
    app.add_option("RUN", replayed.run, "The run's id")->required();
    app.add_option("--with", replayed.with, "The new build")->type_name("NEW.so")->required();
    json_flag(app, replayed.json);
  }

  void declare_allow(CLI::App& plugins) {
    auto [app, allowed] = command<PluginsAllow>(
        plugins, "allow", "Add plugin files to the list of allowed ones", allow_footer);
    app.add_option("FILE", allowed.files, "Plugin files")->required();
    json_flag(app, allowed.json);
  }

  void declare_plugins_list(CLI::App& plugins) {
    auto [app, list] = command<PluginsList>(plugins, "list", "List plugin files and what they are",
                                            plugins_list_footer);
    json_flag(app, list.json);
  }

  void declare_flows_list(CLI::App& flows) {
    auto [app, list] = command<FlowsList>(flows, "list", "List the flows in the plugin folders",
                                          flows_list_footer);
    json_flag(app, list.json);
  }

  void declare_flows_show(CLI::App& flows) {
    auto [app, show] = command<FlowsShow>(
        flows, "show", "Show one flow: its graph, steps and options", flows_show_footer);
    app.add_option("NAME", show.name, "Slug or module name")->required();
    json_flag(app, show.json);
    app.add_flag("--dot", show.dot, "Print the graph for Graphviz")->excludes("--json");
  }

  void declare_flows_versions(CLI::App& flows) {
    auto [app, versions] = command<FlowsVersions>(
        flows, "versions", "List a flow's versions and who needs them", flows_versions_footer);
    app.add_option("SLUG", versions.slug, "The flow")->required();
    json_flag(app, versions.json);
  }

  void declare_flows_adopt(CLI::App& flows) {
    auto [app, adopt] = command<FlowsAdopt>(flows, "adopt", "Move open runs to another version",
                                            flows_adopt_footer);
    app.add_option("SLUG", adopt.slug, "The flow")->required();
    app.add_option("--from", adopt.from, "Default: every other one that has open runs")
        ->type_name("N");
    app.add_option("--to", adopt.to, "Default: the newest")->type_name("N");
    json_flag(app, adopt.json);
  }

  void declare_start() {
    auto [app, start] = command<Start>(root_, "start", "Start a run", start_footer);
    app.add_option("SLUG", start.flow, "The flow")->required();
    app.add_option("--input", start.input, "JSON, @FILE, or - for stdin; default null")
        ->type_name("JSON|@FILE|-");
    app.add_option("--key", start.key, "Idempotency key")->type_name("K");
    app.add_option("--delay", start.delay, "Start it later: 500ms, 2s, 5m, 1h, 1d")->type_name("D");
    app.add_flag("--wait", start.wait, "Wait for its end; exit 1 when it failed");
    json_flag(app, start.json);
  }

  void declare_runs_list(CLI::App& runs) {
    auto [app, list] = command<RunsList>(runs, "list", "List runs", runs_list_footer);
    app.add_option("--flow", list.flow, "Of this flow alone")->type_name("SLUG");
    app.add_option("--status", list.status, fmt::format("One of {}", fmt::join(statuses, ", ")))
        ->type_name("STATUS")
        ->check([](const std::string& status) {
          if (std::ranges::find(statuses, status) != statuses.end()) return std::string();
          return fmt::format("no status \"{}\"; {}", status,
                             did_you_mean(status, statuses,
                                          fmt::format("there are {}", fmt::join(statuses, ", "))));
        });
    app.add_option("--limit", list.limit, "At most so many; default 20")
        ->type_name("N")
        ->check([](const std::string& count) {
          constexpr std::size_t digits_max = 5;
          const bool whole = count.find_first_not_of("0123456789") == std::string::npos;
          const bool positive = count.find_first_not_of('0') != std::string::npos;
          if (whole && positive && count.size() <= digits_max) return std::string();
          return fmt::format("expected 1 to 99999, got \"{}\"", count);
        });
    json_flag(app, list.json);
  }

  void declare_runs_show(CLI::App& runs) {
    auto [app, show] =
        command<RunsShow>(runs, "show", "Show one run and its steps", runs_show_footer);
    app.add_option("ID", show.id, "The run's id")->required();
    json_flag(app, show.json);
  }

  void declare_runs_watch(CLI::App& runs) {
    auto [app, watch] =
        command<RunsWatch>(runs, "watch", "Follow a run until it is over", runs_watch_footer);
    app.add_option("ID", watch.id, "The run's id")->required();
  }

  /// The innermost command that was named.
  CLI::App& chosen() {
    CLI::App* app = &root_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

  /// What is wrong: with the nearest word when one was not known.
  Answer wrong(std::string what) {
    CLI::App& app = chosen();
    std::vector<std::string> known;
    for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(each->get_name());
    for (const CLI::App* each = &app; each != nullptr; each = each->get_parent())
      for (const CLI::Option* option : each->get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    std::string hint;
    if (const std::vector<std::string> strangers = root_.remaining(true); !strangers.empty()) {
      what = fmt::format(
          "unknown {} \"{}\"",
          commands_.contains(&app) || strangers.front().starts_with('-') ? "argument" : "command",
          strangers.front());
      hint = did_you_mean(strangers.front(), known);
      if (!hint.empty()) hint = "; " + hint;
    }
    const std::string name = full_name(app);
    return {ExitCode::usage, fmt::format("{}: {}{}\nTry \"{} --help\".\n", name, what, hint, name)};
  }

  CLI::App root_;
  Globals globals_;
  std::map<const CLI::App*, std::function<Command()>> commands_;
};

}  // namespace

std::variant<CommandLine, Answer> parse_command_line(const std::vector<std::string>& arguments) {
  return Grammar().parse(arguments);
}

}  // namespace weir::cli
