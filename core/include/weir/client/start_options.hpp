#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <weir/time.hpp>

namespace weir {

/// How to start one run (S1).
struct RunOptions {
  std::optional<std::string> idempotency_key{};  ///< the same key on a flow gives the same run (S4)
  /// A UUID, which new_run_id() makes; by default the database makes one.
  std::optional<std::string> run_id{};
  std::optional<std::chrono::milliseconds> delay{};
  std::optional<Time> at{};      ///< instead of a delay
  int priority = 0;              ///< −100 … 100, higher first
  std::optional<int> version{};  ///< default: the newest that a live worker has (V5)
  std::vector<std::string> tags{};
};

/// How to start runs of one flow (S1).
struct StartOptions {
  std::vector<std::string> idempotency_keys{};  ///< none, or one for each input
  std::vector<std::string> run_ids{};           ///< none, or one UUID for each input
  std::optional<std::chrono::milliseconds> delay{};
  std::optional<Time> at{};      ///< instead of a delay
  int priority = 0;              ///< −100 … 100, higher first
  std::optional<int> version{};  ///< default: the newest that a live worker has (V5)
  std::vector<std::string> tags{};
};

struct StartedRun {
  std::string id;       ///< a UUID
  bool created = true;  ///< false: an earlier start with this idempotency key created it
};

}  // namespace weir
