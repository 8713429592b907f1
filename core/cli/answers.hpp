#pragma once
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/console.hpp"

namespace weir::cli {

/// What a command says of one of the things it was asked to do.
struct Answer {
  std::string line;  ///< for people, with its end of line
  Json json;         ///< with --json
};

/// What a command says that does one thing after the other, and goes on past those that fail: a
/// line each at once, or with --json all of them as one array at the end.
class Answers {
 public:
  Answers(bool json, Console& console) : json_(json), console_(console) {}

  /// One more; what failed is told on stderr in either way.
  void add(const Result<Answer>& answer);

  /// No more follow. Gives the exit code: that of the last failure, else ok.
  ExitCode end();

 private:
  bool json_;
  Console& console_;
  std::vector<Json> done_;
  ExitCode code_ = ExitCode::ok;
};

}  // namespace weir::cli
