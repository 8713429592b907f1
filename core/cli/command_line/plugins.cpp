#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view plugins_lint_footer =
    R"(Runs no code of a plugin. One line a file: "FILE: ok", or the kind of fault,
what was met and a hint. With --json one object a file. Exits 1 when a file is
refused. A sound file may have warnings: what will hurt one day, such as code
that cannot be unloaded. They do not count, but with --strict.

Examples:
  weir plugins lint plugins/*.so
  weir plugins lint --strict build/shop.so
  weir plugins lint build/shop.so --json | jq .warnings)";

constexpr std::string_view plugins_new_footer =
    R"(Writes a folder with a source, a CMakeLists.txt, a test and a README.md, which
builds and passes its test as it stands. NAME becomes the plugin's and the
flow's name. Nothing that is there is overwritten.

Examples:
  weir plugins new order_totals
  weir plugins new order_totals src/orders --lang rust
  cmake -B build && cmake --build build && ctest --test-dir build)";

constexpr std::string_view plugins_try_footer =
    R"(Runs one flow of a plugin in this process, in memory: no database, no worker.
Backoff and delays pass at once; a step that fails is tried again as its options
say. A wait ends with the signal given here, or its time passes at once. A step that
starts a flow of the same plugin runs it too. Exits 1 when the run failed, or its output is not the one expected (the
order of keys does not count).

Examples:
  weir plugins try build/shop.so --input '{"id": 7}'
  weir plugins try build/shop.so --flow order_totals --input @order.json
  weir plugins try build/hello.so --input '"Ada"' --expect '{"sign": "Ada"}'
  weir plugins try build/claims.so --signal 'approval={"granted": true}')";

constexpr std::string_view plugins_diff_footer =
    R"(Compares what two builds of a plugin say of their flows; no code of them runs.
Compatible are flows with the same steps, kinds, dependencies and conditions,
whatever their options: open runs may be adopted by the new version. Exits 1 when a flow is not.

Examples:
  weir plugins diff plugins/shop.so build/shop.so
  weir plugins diff old.so new.so --json | jq .compatible)";

constexpr std::string_view plugins_replay_footer =
    R"(Runs the steps of a new build on the inputs of a run's recorded attempts, and
compares what they return with what was recorded. Nothing is written to the
database, but the steps do to the world what they do. They run in this process:
a fault of theirs ends this command alone. Exits 1 when an output differs, or a
step fails that did not.

Examples:
  weir plugins replay 0198c0de-0000-7000-8000-000000000000 --with build/shop.so
  weir plugins replay ID --with new.so --json | jq '.attempts[] | .verdict')";

constexpr std::string_view plugins_allow_footer =
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

void declare_plugins_lint(Grammar& grammar, CLI::App& plugins) {
  auto [words, lint] = grammar.command<PluginsLint>(
      plugins, "lint", "Say whether plugin files are sound", plugins_lint_footer);
  words.argument("FILE", lint.files, "Plugin files", Words::Need::required)
      .flag("--strict", lint.strict, "Exit 1 for warnings too")
      .json(lint.json);
}

void declare_plugins_new(Grammar& grammar, CLI::App& plugins) {
  auto [words, made] = grammar.command<PluginsNew>(
      plugins, "new", "Write a new plugin, ready to build", plugins_new_footer);
  words.argument("NAME", made.name, "Letters, digits and _", Words::Need::required)
      .argument("DIR", made.folder, "The folder; default: NAME")
      .option("--lang", made.language, "cpp, c or rust; default cpp", "LANG",
              one_of("language", {"cpp", "c", "rust"}));
}

void declare_plugins_try(Grammar& grammar, CLI::App& plugins) {
  auto [words, tried] = grammar.command<PluginsTry>(
      plugins, "try", "Run a flow of a plugin in memory", plugins_try_footer);
  words.argument("FILE", tried.file, "The plugin", Words::Need::required)
      .option("--flow", tried.flow, "Slug or module name; default: the only one", "NAME")
      .option("--input", tried.input, "JSON, @FILE, or - for stdin; default null", "JSON|@FILE|-")
      .option("--expect", tried.expect, "The output it is to have", "JSON|@FILE|-")
      .option("--signal", tried.signals, "What ends a wait; may be repeated", "NAME=JSON")
      .json(tried.json);
}

void declare_plugins_diff(Grammar& grammar, CLI::App& plugins) {
  auto [words, compared] = grammar.command<PluginsDiff>(
      plugins, "diff", "Say what a new build means for open runs", plugins_diff_footer);
  words.argument("OLD", compared.before, "A plugin", Words::Need::required)
      .argument("NEW", compared.after, "The same, built anew", Words::Need::required)
      .json(compared.json);
}

void declare_plugins_replay(Grammar& grammar, CLI::App& plugins) {
  auto [words, replayed] = grammar.command<PluginsReplay>(
      plugins, "replay", "Run a new build on what a run recorded", plugins_replay_footer);
  words.argument("RUN", replayed.run, "The run's id", Words::Need::required)
      .required_option("--with", replayed.with, "The new build", "NEW.so")
      .json(replayed.json);
}

void declare_plugins_allow(Grammar& grammar, CLI::App& plugins) {
  auto [words, allowed] = grammar.command<PluginsAllow>(
      plugins, "allow", "Add plugin files to the list of allowed ones", plugins_allow_footer);
  words.argument("FILE", allowed.files, "Plugin files", Words::Need::required).json(allowed.json);
}

void declare_plugins_list(Grammar& grammar, CLI::App& plugins) {
  auto [words, list] = grammar.command<PluginsList>(
      plugins, "list", "List plugin files and what they are", plugins_list_footer);
  words.json(list.json);
}

}  // namespace

void declare_plugins(Grammar& grammar) {
  CLI::App& plugins = grammar.group("plugins", "Look at plugin files");
  declare_plugins_lint(grammar, plugins);
  declare_plugins_new(grammar, plugins);
  declare_plugins_try(grammar, plugins);
  declare_plugins_diff(grammar, plugins);
  declare_plugins_replay(grammar, plugins);
  declare_plugins_allow(grammar, plugins);
  declare_plugins_list(grammar, plugins);
}

}  // namespace weir::cli
