#include "client/client.hpp"

#include <algorithm>
#include <thread>

#include <fmt/core.h>

#include "client/input_schema.hpp"

namespace weir {

using std::chrono::milliseconds;

bool is_over(const std::string& status) noexcept {
  return status == "completed" || status == "failed" || status == "cancelled";
}

Result<std::vector<StartedRun>> Client::start(const std::string& flow,
                                              const std::vector<Json>& inputs,
                                              const StartOptions& options) {
  const auto known = store_.flow(flow, options.version);
  if (!known) return std::unexpected(known.error());
  if (known->input_schema)
    for (const Json& input : inputs)
      if (const auto fits = check_input(*known->input_schema, input); !fits)
        return std::unexpected(fits.error());
  return store_.start(flow, inputs, options);
}

Result<RunReport> Client::wait(const std::string& id, const Watcher& watcher,
                               milliseconds patience) {
  constexpr milliseconds pause_longest{250};
  constexpr milliseconds away_longest{10'000};
  const auto began = std::chrono::steady_clock::now();
  auto answered = began;
  for (milliseconds pause{20};; pause = std::min(pause * 5 / 4, pause_longest)) {
    const auto now = std::chrono::steady_clock::now();
    if (const auto report = store_.report(id, false)) {
      answered = now;
      if (is_over(report->summary.status)) return store_.report(id);
      watcher(*report);
    } else if (report.error().code != ErrorCode::unavailable || now - answered > away_longest) {
      return std::unexpected(report.error());
    }
    if (patience.count() > 0 && now - began > patience)
      return std::unexpected(
          Error{.code = ErrorCode::unavailable,
                .kind = "still_running",
                .message = fmt::format("run {} is not over after {} ms", id, patience.count()),
                .hint = "it goes on: weir runs watch " + id});
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace weir
