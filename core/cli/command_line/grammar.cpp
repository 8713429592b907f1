#include "cli/command_line/grammar.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>

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
  weir start hello --wait       start a run and follow it to its end

--config and --database may follow every command. Exit codes: 0 ok; 1 failed;
2 the command line, the input or flows.yaml has a mistake; 3 unavailable: the
database cannot be reached. "weir COMMAND --help" explains a command.)";

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : full_name(*app.get_parent()) + " " + app.get_name();
}

/// Help that begins with the usage line, and fits 80 columns.
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
    const auto add = [&](const auto& self, const CLI::App* parent,
                         const std::string& before) -> void {
      for (const CLI::App* each : parent->get_subcommands([](const CLI::App*) { return true; })) {
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

}  // namespace

template <class Field>
Arguments& Arguments::argument(const char* name, Field& field, const char* description, Need need) {
  app_->add_option(name, field, description)->required(need == Need::required);
  return *this;
}

template <class Field>
Arguments& Arguments::option(const char* name, Field& field, const std::string& description,
                             const char* value, const Check& check, const char* excluded) {
  CLI::Option* const option = app_->add_option(name, field, description)->type_name(value);
  if (check) option->check(check);
  if (excluded != nullptr) option->excludes(app_->get_option(excluded));
  // One value each time it is named: the word after that is the next argument.
  if constexpr (requires { field.reserve(1); } && !requires { field.c_str(); })
    option->expected(1)->take_all()->allow_extra_args(false);
  return *this;
}

template <class Field>
Arguments& Arguments::required_option(const char* name, Field& field,
                                      const std::string& description, const char* value) {
  option(name, field, description, value);
  app_->get_option(name)->required();
  return *this;
}

Arguments& Arguments::flag(const char* name, bool& field, const char* description,
                           const char* excluded) {
  CLI::Option* const flag = app_->add_flag(name, field, description);
  if (excluded != nullptr) flag->excludes(app_->get_option(excluded));
  return *this;
}

#define WEIR_FIELD(Type)                                                                     \
  template Arguments& Arguments::argument(const char*, Type&, const char*, Need);            \
  template Arguments& Arguments::option(const char*, Type&, const std::string&, const char*, \
                                        const Check&, const char*);                          \
  template Arguments& Arguments::required_option(const char*, Type&, const std::string&,     \
                                                 const char*);
WEIR_FIELD(std::string)
WEIR_FIELD(std::optional<std::string>)
WEIR_FIELD(std::vector<std::string>)
WEIR_FIELD(std::filesystem::path)
WEIR_FIELD(std::optional<std::filesystem::path>)
WEIR_FIELD(std::vector<std::filesystem::path>)
WEIR_FIELD(int)
WEIR_FIELD(std::int64_t)
WEIR_FIELD(std::optional<std::int64_t>)
WEIR_FIELD(std::optional<int>)
#undef WEIR_FIELD

Arguments::Check positive(std::size_t digits_max) {
  return [digits_max](const std::string& count) {
    const bool whole = count.find_first_not_of("0123456789") == std::string::npos;
    const bool more_than_none = count.find_first_not_of('0') != std::string::npos;
    if (whole && more_than_none && count.size() <= digits_max) return std::string();
    return fmt::format("expected 1 to {}, got \"{}\"", std::string(digits_max, '9'), count);
  };
}

Arguments::Check between(std::int64_t least, std::int64_t most) {
  return [least, most](const std::string& text) {
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault == std::errc() && end == text.data() + text.size() && number >= least &&
        number <= most)
      return std::string();
    return fmt::format("expected {} to {}, got \"{}\"", least, most, text);
  };
}

Arguments::Check one_of(const char* what, std::vector<std::string> words) {
  return [what, words = std::move(words)](const std::string& word) {
    if (std::ranges::find(words, word) != words.end()) return std::string();
    return fmt::format(
        "no {} \"{}\"; {}", what, word,
        did_you_mean(word, words, fmt::format("there are {}", fmt::join(words, ", "))));
  };
}

Grammar::Grammar()
    : root_(std::make_unique<CLI::App>(
          "Durable flows written in C++: drop in a plugin, start runs, lose nothing.", "weir")) {
  root_->set_version_flag("-V,--version", fmt::format("weir {}", program_version),
                          "Print the version");
  root_->set_help_flag("-h,--help", "Print this help");
  const auto help = std::make_shared<Help>();
  help->label("Positionals", "Arguments");
  root_->formatter(help);  // commands declared below inherit it
  root_->footer(std::string(root_footer));
  root_->add_option("--config", globals_.config, "Default: $WEIR_CONFIG, else ./flows.yaml")
      ->type_name("FILE")
      ->envname("WEIR_CONFIG");
  root_->add_option("--database", globals_.database, "Instead of the database in flows.yaml")
      ->type_name("URL");
}

Grammar::~Grammar() = default;

CLI::App& Grammar::group(const char* name, const char* description) {
  CLI::App& app = *root_->add_subcommand(name, description);
  app.fallthrough();
  app.footer(fmt::format("\"weir {} COMMAND --help\" explains a command, with examples.", name));
  return app;
}

CLI::App& Grammar::add(CLI::App& parent, const char* name, const char* description,
                       std::string_view footer, std::function<Command()> filled) {
  CLI::App& app = *parent.add_subcommand(name, description);
  app.footer(std::string(footer));
  app.fallthrough();  // --config and --database may follow the command
  commands_[&app] = std::move(filled);
  return app;
}

std::vector<std::vector<std::string>> Grammar::commands() const {
  std::vector<std::vector<std::string>> all;
  const auto add = [&](const auto& self, const CLI::App& parent,
                       const std::vector<std::string>& before) -> void {
    for (const CLI::App* each : parent.get_subcommands([](const CLI::App*) { return true; })) {
      std::vector<std::string> words = before;
      words.push_back(each->get_name());
      if (commands_.contains(each)) all.push_back(words);
      self(self, *each, words);
    }
  };
  add(add, *root_, {});
  return all;
}

std::variant<CommandLine, Answer> Grammar::parse(std::vector<std::string> arguments) {
  const bool bare = arguments.empty();
  std::ranges::reverse(arguments);  // CLI11 takes them from the back
  try {
    root_->parse(arguments);
  } catch (const CLI::Success& request) {
    std::string text = request.get_name() == "CallForVersion" ? request.what() : chosen().help();
    while (text.ends_with('\n')) text.pop_back();
    return Answer{ExitCode::ok, text + "\n"};
  } catch (const CLI::ParseError& refusal) {
    return usage_error(refusal.what());
  }
  if (const auto filled = commands_.find(&chosen()); filled != commands_.end())
    return CommandLine{std::move(globals_), filled->second()};
  if (bare) return Answer{ExitCode::usage, root_->help()};
  return usage_error("a command is missing");
}

// The innermost command that was typed.
CLI::App& Grammar::chosen() {
  CLI::App* app = root_.get();
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return *app;
}

// The error, with the nearest word if one is unknown.
Answer Grammar::usage_error(std::string what) {
  CLI::App& app = chosen();
  std::vector<std::string> known;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(each->get_name());
  for (const CLI::App* each = &app; each != nullptr; each = each->get_parent())
    for (const CLI::Option* option : each->get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  std::string hint;
  if (const std::vector<std::string> unknown = root_->remaining(true); !unknown.empty()) {
    what = fmt::format(
        "unknown {} \"{}\"",
        commands_.contains(&app) || unknown.front().starts_with('-') ? "argument" : "command",
        unknown.front());
    hint = did_you_mean(unknown.front(), known);
    if (!hint.empty()) hint = "; " + hint;
  }
  const std::string name = full_name(app);
  return {ExitCode::usage, fmt::format("{}: {}{}\nTry \"{} --help\".\n", name, what, hint, name)};
}

}  // namespace weir::cli
