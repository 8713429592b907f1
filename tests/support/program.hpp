#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace weir::testing {

/// The result of a program that has ended.
struct Ran {
  int code = -1;  ///< exit code, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

struct RunOptions {
  std::filesystem::path folder = ".";
  std::string input = {};
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< added to a plain one
};

/// Runs a program to its end, in the locale C.UTF-8. Of this process's environment it gets only
/// PATH, HOME, TMPDIR, XDG_CACHE_HOME and the options of sanitizers. Throws when it cannot be run.
Ran run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                const RunOptions& options = {});

/// A program that runs in the background; killed by the destructor unless wait() has returned.
class Running {
 public:
  Running(const std::filesystem::path& program, const std::vector<std::string>& arguments,
          const std::filesystem::path& folder, const std::filesystem::path& log);
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  void signal(int number) const;

  /// Waits for the end; returns the exit code, or 128 + the signal that ended it.
  int wait();

 private:
  int pid_ = -1;
};

}  // namespace weir::testing
