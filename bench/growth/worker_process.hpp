#pragma once
#include <cstddef>
#include <string>

#include "base/child_process.hpp"
#include "base/file_descriptor.hpp"
#include "bench/growth/counting_store.hpp"

namespace weir::bench {

/// A worker of one of growth_flow() in a process of its own, which begins at once.
class WorkerProcess {
 public:
  WorkerProcess(const std::string& url, const std::string& slug, std::size_t slots);

  pid_t pid() const { return process_.pid(); }

  /// Lets it drain, and waits for its end.
  ClaimCounts end();

 private:
  struct Pipe {
    FileDescriptor read, write;
    static Pipe open();
  };
  WorkerProcess(Pipe pipe, const std::string& url, const std::string& slug, std::size_t slots);

  FileDescriptor counts_;  // what it writes when it ends
  ChildProcess process_;
};

/// The main function of such a process: its arguments are those that WorkerProcess gives it.
int worker_process_main(int argc, char** argv);
constexpr const char* worker_process_option = "--as-worker";

}  // namespace weir::bench
