#include "cli/terminal/follow.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "cli/terminal/progress.hpp"
#include "client/client.hpp"

namespace weir::cli {
namespace {

void write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::expected<RunReport, ExitCode> follow(RunStore& store, const std::string& id,
                                          Console& console) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds count_interval{1};
  // A worker needs a moment to claim a run: only when the run still waits after that, there may be
  // no worker.
  Clock::time_point next_count = Clock::now() + std::chrono::milliseconds(300);
  Progress progress(console.err());
  Client client = client_on(store);
  const auto on_report = [&](const RunReport& report) {
    if (Clock::now() >= next_count) {
      const bool waits = report.summary.status == "queued";
      const auto alive = waits ? client.workers_alive() : Result<std::int64_t>(1);
      const bool no_worker = alive && *alive == 0;
      progress.remark(
          no_worker ? "no worker is alive: the run waits until \"weir serve\" is started" : "");
      next_count = Clock::now() + count_interval;
    }
    write(progress.update(report));
  };
  auto report = client.wait(id, on_report);
  if (!report) {
    write(progress.clear());
    return std::unexpected(console.fail(report.error()));
  }
  progress.remark("");
  write(console.err().live ? progress.clear() : progress.update(*report));
  return *std::move(report);
}

}  // namespace weir::cli
