#pragma once
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/terminal/console.hpp"

namespace weir::cli {

/// What a command did to one of the things it was given, as it is told.
struct Effect {
  std::string line;  ///< for people, with its end of line
  Json json;         ///< with --json
};

/// Tells what a command does to one thing after the other, past those that fail: a line each at
/// once, or with --json all of them as one array at the end.
class Effects {
 public:
  Effects(bool json, Console& console) : json_(json), console_(console) {}

  /// One more; what failed is told on stderr in either way.
  void add(const Result<Effect>& effect);

  /// No more follow. Gives the exit code: that of the last failure, else ok.
  ExitCode end();

 private:
  bool json_;
  Console& console_;
  std::vector<Json> done_;
  ExitCode code_ = ExitCode::ok;
};

}  // namespace weir::cli
