#include "cli/terminal/follow.hpp"

#include <chrono>
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
  // A worker may be about to join: only what the run still waits for after that is told.
  const Clock::time_point remarks_from = Clock::now() + std::chrono::milliseconds(300);
  Progress progress(console.err());
  Client client = client_on(store);
  const auto on_report = [&](const RunReport& report) {
    if (Clock::now() >= remarks_from) progress.remark(report.waits_for.value_or(""));
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
