#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/command_line/command_line.hpp"

namespace CLI {
class App;
}

namespace weir::cli {

/// Declares the arguments of one command. Each fills a field of the command's struct: a string, a
/// path, a number, or an optional or a vector of them.
///
/// Only grammar.cpp includes CLI11, which implements it: that takes seconds to compile.
class Arguments {
 public:
  enum class Need : bool { optional, required };
  /// Returns what is wrong with a word, "" when nothing is.
  using Check = std::function<std::string(const std::string&)>;

  explicit Arguments(CLI::App& app) : app_(&app) {}

  /// A positional argument; several when the field is a vector.
  template <class Field>
  Arguments& argument(const char* name, Field& field, const char* description,
                      Need need = Need::optional);

  /// `--name VALUE`; may be repeated when the field is a vector. `value` is its name in help.
  /// Refused together with `excluded`, which must have been declared before.
  template <class Field>
  Arguments& option(const char* name, Field& field, const std::string& description,
                    const char* value, const Check& check = {}, const char* excluded = nullptr);

  /// `--name VALUE`, which must be given.
  template <class Field>
  Arguments& required_option(const char* name, Field& field, const std::string& description,
                             const char* value);

  /// `--name`. Refused together with `excluded`, which must have been declared before.
  Arguments& flag(const char* name, bool& field, const char* description,
                  const char* excluded = nullptr);

  /// `--json`.
  Arguments& json(bool& field) { return flag("--json", field, "Print JSON"); }

 private:
  CLI::App* app_;
};

/// A whole number from 1, with at most `digits_max` digits.
Arguments::Check positive(std::size_t digits_max);

/// A whole number in [`least`, `most`].
Arguments::Check between(std::int64_t least, std::int64_t most);

/// One of these words; the error names the nearest. `what` is what they are, such as "status".
Arguments::Check one_of(const char* what, std::vector<std::string> words);

/// The commands and their arguments. Lives while the command line is parsed.
class Grammar {
 public:
  Grammar();
  ~Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  CLI::App& root() noexcept { return *root_; }

  /// A word that needs another one, such as "runs".
  CLI::App& group(const char* name, const char* description);

  /// A command below `parent`, and the function that runs it. Its struct lives as long as the
  /// grammar, and is moved into the Command when it was chosen.
  template <class T>
  std::pair<Arguments, T&> command(CLI::App& parent, const char* name, const char* description,
                                   std::string_view footer,
                                   ExitCode (*run)(const T&, const Globals&, Console&)) {
    const auto filled = std::make_shared<T>();
    CLI::App& app = add(parent, name, description, footer,
                        [filled, run] { return Command(std::move(*filled), run); });
    return {Arguments(app), *filled};
  }

  /// The words of every command: {"runs", "list"}, in the order of help.
  std::vector<std::vector<std::string>> commands() const;

  std::variant<CommandLine, Answer> parse(std::vector<std::string> arguments);

 private:
  CLI::App& add(CLI::App& parent, const char* name, const char* description,
                std::string_view footer, std::function<Command()> filled);
  CLI::App& chosen();
  Answer usage_error(std::string what);

  std::unique_ptr<CLI::App> root_;
  Globals globals_;
  std::map<const CLI::App*, std::function<Command()>> commands_;
};

// Each declares the commands of one noun, in the file of that name in cli/commands/. Help lists
// them in the order of declare_commands().
void declare_init(Grammar&);
void declare_plugins(Grammar&);
void declare_plugin_development(Grammar&, CLI::App& plugins);
void declare_flows(Grammar&);
void declare_migrate(Grammar&);
void declare_doctor(Grammar&);
void declare_serve(Grammar&);
void declare_start(Grammar&);
void declare_runs(Grammar&);
void declare_schedules(Grammar&);
void declare_prune(Grammar&);
void declare_workers(Grammar&);
void declare_commands(Grammar&);

}  // namespace weir::cli
