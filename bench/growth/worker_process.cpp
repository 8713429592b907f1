#include "bench/growth/worker_process.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "bench/engine/serving.hpp"
#include "bench/growth/growth_flows.hpp"
#include "bench/required.hpp"
#include "store/postgres/postgres_worker_store.hpp"

namespace weir::bench {
namespace {

constexpr int counts_fd = 3;  // in the child

}  // namespace

WorkerProcess::Pipe WorkerProcess::Pipe::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("no pipe can be made");
  return {.read = FileDescriptor(ends[0]), .write = FileDescriptor(ends[1])};
}

WorkerProcess::WorkerProcess(const std::string& url, const std::string& slug, std::size_t slots)
    : WorkerProcess(Pipe::open(), url, slug, slots) {}

WorkerProcess::WorkerProcess(Pipe pipe, const std::string& url, const std::string& slug,
                             std::size_t slots)
    : counts_(std::move(pipe.read)),
      process_(required(
          ChildProcess::start({.arguments = {worker_process_option, url, slug,
                                             std::to_string(slots), std::to_string(::getpid())},
                               .inherited = {{.fd = pipe.write.fd(), .as = counts_fd}}}))) {}

ClaimCounts WorkerProcess::end() {
  process_.signal(SIGTERM);
  ClaimCounts counts;
  if (::read(counts_.fd(), &counts, sizeof counts) != sizeof counts ||
      !process_.wait(std::chrono::minutes(1)))
    fail("a worker's process failed");
  return counts;
}

int worker_process_main(int argc, char** argv) {
  if (argc != 6) return 2;
  end_with_parent(std::atoi(argv[5]));
  sigset_t asked_to_end;
  sigemptyset(&asked_to_end);
  sigaddset(&asked_to_end, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &asked_to_end, nullptr);
  ClaimCounts counts;
  {
    Serving serving(counting(required(postgres::open_worker_store(argv[2])), counts),
                    growth_flow(argv[3]), std::strtoull(argv[4], nullptr, 10));
    serving.begin();
    int signal = 0;
    ::sigwait(&asked_to_end, &signal);
  }
  return ::write(counts_fd, &counts, sizeof counts) == sizeof counts ? 0 : 1;
}

}  // namespace weir::bench
