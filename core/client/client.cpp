#include "client/client.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/core.h>

#include "client/input_schema.hpp"

namespace weir {

using std::chrono::milliseconds;

Client::Client(RunStore& store)
    : store_(store), ends_([this](const std::vector<std::string>& ids) {
        const std::scoped_lock lock(store_mutex_);
        return store_.over_among(ids);
      }) {}

Result<std::vector<StartedRun>> Client::start(const std::string& flow,
                                              const std::vector<Json>& inputs,
                                              const StartOptions& options) {
  const std::scoped_lock lock(store_mutex_);
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
  using Clock = std::chrono::steady_clock;
  constexpr milliseconds pause_longest{250};
  constexpr milliseconds away_longest{10'000};
  const auto began = Clock::now();
  std::optional<RunEnds<>::Wait> waiting;
  for (milliseconds pause{20};; pause = std::min(pause * 5 / 4, pause_longest)) {
    if (!waiting || watcher) {
      if (const auto look = report(id, false)) {
        if (is_over(look->summary.status)) return report(id, true);
        if (watcher) watcher(*look);
      } else if (look.error().code != ErrorCode::unavailable ||
                 (!waiting && Clock::now() - began > away_longest)) {
        return std::unexpected(look.error());
      } else if (!waiting) {
        std::this_thread::sleep_for(pause);
        continue;
      }
    }
    // Not before a look: an id that is none would spoil the question for all who wait.
    if (!waiting) waiting.emplace(ends_.wait_for(id));
    if (!watcher && patience.count() == 0) {
      if (const auto over = waiting->until_over(); !over) return std::unexpected(over.error());
      return report(id, true);
    }
    const auto end_of_patience = patience.count() > 0 ? began + patience : Clock::time_point::max();
    const auto next_look = watcher ? Clock::now() + pause : Clock::time_point::max();
    const auto over = waiting->until(std::min(end_of_patience, next_look));
    if (!over) return std::unexpected(over.error());
    if (*over) return report(id, true);
    if (Clock::now() >= end_of_patience)
      return std::unexpected(
          Error{.code = ErrorCode::unavailable,
                .kind = "still_running",
                .message = fmt::format("run {} is not over after {} ms", id, patience.count()),
                .hint = "it goes on: weir runs watch " + id});
  }
}

Result<RunReport> Client::report(const std::string& id, bool with_values) {
  const std::scoped_lock lock(store_mutex_);
  return store_.report(id, with_values);
}

Result<std::int64_t> Client::workers_alive() {
  const std::scoped_lock lock(store_mutex_);
  return store_.workers_alive();
}

}  // namespace weir
