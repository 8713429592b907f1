#pragma once
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/terminal/console.hpp"

namespace weir::cli {

/// What a command did to one of its arguments, in the two forms of output.
struct Effect {
  std::string line;  ///< for people, with a newline
  Json json;         ///< with --json
};

/// Prints what a command does to one argument after the other, and continues after those that fail:
/// a line for each immediately, or with --json all of them as one array at the end.
class Effects {
 public:
  Effects(bool json, Console& console) : json_(json), console_(console) {}

  /// Adds one; a failure is reported on stderr in both forms.
  void add(const Result<Effect>& effect);

  /// To be called after the last. Returns the exit code: that of the last failure, else ok.
  ExitCode end();

 private:
  bool json_;
  Console& console_;
  std::vector<Json> done_;
  ExitCode code_ = ExitCode::ok;
};

}  // namespace weir::cli
