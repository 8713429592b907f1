/// Threads: three steps, each on a thread of its own where there is more than one file: files are
/// read, checked and copied (`prepare`), tried (`judge`), and opened, on the caller's thread
/// (`take`). Each goes through the files in their order and waits for the step before.
///
/// Invariant: `prepared_` and `judged_` only grow, under mutex_; a file below `prepared_` is
/// touched by nobody but the judge, one below `judged_` by nobody but the caller.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "plugin/inspection.hpp"
#include "plugin/scanner.hpp"
#include "plugin/stage.hpp"
#include "plugin/trust.hpp"
#include "plugin/verdict_cache.hpp"

namespace weir {

/// A plugin that may be opened: verified, copied, and, where there is a scanner, tried.
struct CheckedPlugin {
  PluginInspection inspection;
  StagedCopy staged;
};

/// The way of some files up to where their code is to be opened.  [one thread, which must not end
/// before it]
class LoadPipeline {
 public:
  using Checked = std::expected<CheckedPlugin, PluginError>;

  /// All of it outlives the pipeline. `scanner` and `verdicts` may be null.
  LoadPipeline(std::span<const std::filesystem::path> paths, const StageDirectory& stage,
               const TrustPolicy& policy, Scanner* scanner, VerdictCache* verdicts);

  /// Waits for the threads: for all files.
  ~LoadPipeline() = default;
  LoadPipeline(const LoadPipeline&) = delete;
  LoadPipeline& operator=(const LoadPipeline&) = delete;

  /// The next file, in the order of the paths; once for each.
  Checked take();

 private:
  void prepare();
  void judge();
  void judge_range(std::size_t begin, std::size_t end, Scanner::Session& session,
                   DependencyState& dependencies);
  std::size_t wait_prepared(std::size_t more_than);
  void judged_to(std::size_t end);

  std::span<const std::filesystem::path> paths_;
  const StageDirectory& stage_;
  const TrustPolicy& policy_;
  Scanner* scanner_;
  VerdictCache* verdicts_;
  std::vector<std::optional<Checked>> files_;
  std::size_t taken_ = 0;  // the caller's

  std::mutex mutex_;  // guards the two that follow
  std::condition_variable moved_;
  std::size_t prepared_ = 0;
  std::size_t judged_ = 0;

  std::jthread preparing_, judging_;  // last: they end before the rest goes
};

/// Why a plugin was refused, told with what this machine's libraries are: explained(), of the bytes
/// of its private copy.
PluginError explained_of_copy(PluginError error, const CheckedPlugin& plugin);

}  // namespace weir
