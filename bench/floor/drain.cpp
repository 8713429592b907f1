#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "bench/floor/floor.hpp"
#include "bench/measure/processor_time.hpp"

namespace weir::bench {
namespace {

double log_position(Database& database) {
  const auto found =
      first_column(database.run("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"));
  return std::strtod(found.front().c_str(), nullptr);
}

}  // namespace

void measure(Database& database, const Drain& drain, std::size_t batch, std::size_t connections,
             double start_seconds) {
  using Clock = std::chrono::steady_clock;
  Progress progress;
  std::latch prepared(static_cast<std::ptrdiff_t>(connections)), begin(1);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i <= connections; ++i)
    threads.emplace_back([&, i] {
      Database connection;
      connection.keep_plans();
      drain.prepare(connection);
      prepared.count_down();
      begin.wait();
      drain.work(connection, std::to_string(i), std::to_string(batch), progress);
    });
  prepared.wait();

  const pid_t server = server_of_backend(database.process());
  const double log_before = log_position(database);
  const ProcessorTime before = processor_time(server);
  const auto began = Clock::now();
  begin.count_down();
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  const ProcessorTime after = processor_time(server);
  const double log_bytes = log_position(database) - log_before;

  const auto tasks = static_cast<double>(progress.tasks.load());
  const double server_seconds = after.server - before.server, own_seconds = after.own - before.own;
  const double others =
      std::max(0.0, after.machine - before.machine - server_seconds - own_seconds);
  fmt::print(
      R"({{"peer":"floor","work":"{}","batch":{},"conns":{},"n":{},"per_s":{:.0f},)"
      R"("runs_per_s":{:.0f},"stmts":{},"secs":{:.3f},"pg_cpu_us":{:.1f},"client_cpu_us":{:.1f},)"
      R"("noise_cores":{:.2f},"wal_b":{:.0f},"commits":{:.4f},"enqueue_per_s":{:.0f}}})"
      "\n",
      drain.mode, batch, connections, drain.tasks, tasks / seconds,
      static_cast<double>(drain.runs) / seconds, progress.statements.load(), seconds,
      server_seconds / tasks * 1e6, own_seconds / tasks * 1e6, others / seconds, log_bytes / tasks,
      static_cast<double>(progress.statements.load()) / tasks,
      static_cast<double>(drain.runs) / start_seconds);
}

}  // namespace weir::bench
