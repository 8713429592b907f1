#pragma once
#include <any>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "cli/terminal/console.hpp"
#include "cli/terminal/exit_code.hpp"

namespace weir::cli {

/// The arguments that every command has in addition to its own.
struct Globals {
  std::optional<std::filesystem::path> config;  ///< --config, else $WEIR_CONFIG
  std::optional<std::string> database;          ///< --database
};

/// The command that was typed: a filled struct of cli/commands/, and the function that runs it.
class Command {
 public:
  template <class T>
  Command(T filled, ExitCode (*function)(const T&, const Globals&, Console&))
      : filled_(std::move(filled)),
        run_([function](const std::any& any, const Globals& globals, Console& console) {
          return function(*std::any_cast<T>(&any), globals, console);
        }) {}

  ExitCode run(const Globals& globals, Console& console) const {
    return run_(filled_, globals, console);
  }

  /// Null when it is the struct of another command.
  template <class T>
  const T* as() const noexcept {
    return std::any_cast<T>(&filled_);
  }

 private:
  std::any filled_;
  std::function<ExitCode(const std::any&, const Globals&, Console&)> run_;
};

}  // namespace weir::cli
