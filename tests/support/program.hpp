#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace weir::testing {

/// What a program that ended left behind.
struct Ran {
  int code = -1;  ///< exit code, or 128 + the signal it died of
  std::string out;
  std::string err;
};

struct RunOptions {
  std::filesystem::path folder = ".";
  std::string input = {};
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< on top of a plain one
};

/// Runs a program to its end, with nothing of this process's environment but PATH, HOME and TMPDIR,
/// in the locale C.UTF-8. Throws when it cannot be run.
Ran run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                const RunOptions& options = {});

/// A program that goes on in the background; killed by the destructor unless it has ended.
class Running {
 public:
  Running(const std::filesystem::path& program, const std::vector<std::string>& arguments,
          const std::filesystem::path& folder, const std::filesystem::path& log);
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  void signal(int number) const;

  /// Waits for the end; the exit code, or 128 + the signal it died of.
  int wait();

 private:
  int pid_ = -1;
};

}  // namespace weir::testing
