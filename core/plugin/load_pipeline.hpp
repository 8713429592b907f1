/// Threads: three steps, each on a thread of its own where there is more than one file: `prepare`
/// reads, checks and copies files, `scan` scans them, and the caller's thread takes and opens them
/// (`take`). Each goes through the files in their order and waits for the step before.
///
/// Invariant: `prepared_` and `scanned_` only grow, under mutex_. A file below `prepared_` is
/// touched only by scan(), one below `scanned_` only by the caller; without a scanner there is no
/// scan, and the caller follows `prepared_`.
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
#include "plugin/quarantine.hpp"
#include "plugin/scanner.hpp"
#include "plugin/stage.hpp"
#include "plugin/trust.hpp"
#include "plugin/verdict_cache.hpp"

namespace weir {

/// A plugin that may be opened: verified, copied, and, where there is a scanner, scanned.
struct CheckedPlugin {
  PluginInspection inspection;
  StagedCopy staged;
};

/// Takes files through the steps before their code is opened.  [one thread, which must not end
/// before the pipeline]
class LoadPipeline {
 public:
  using Checked = std::expected<CheckedPlugin, PluginError>;

  /// All arguments must outlive the pipeline. The pointers may be null. The verdict on a plugin that
  /// `quarantine` bars from being loaded is not used: it did not say what happens here.
  LoadPipeline(std::span<const std::filesystem::path> paths, const StageDirectory& stage,
               const TrustPolicy& policy, Scanner* scanner, VerdictCache* verdicts,
               const Quarantine* quarantine);

  /// Waits for the threads, which finish all files.
  ~LoadPipeline() = default;
  LoadPipeline(const LoadPipeline&) = delete;
  LoadPipeline& operator=(const LoadPipeline&) = delete;

  /// The next file, in the order of the paths; call it once for each.
  Checked take();

 private:
  void prepare();
  void scan();
  std::optional<VerdictCache::Verdict> known_verdict(const std::string& key,
                                                     const PluginFile& plugin) const;
  void scan_range(std::size_t begin, std::size_t end, Scanner::Session& session,
                  DependencyState& dependencies);
  std::size_t wait_prepared(std::size_t more_than);
  void note_scanned(std::size_t end);

  std::span<const std::filesystem::path> paths_;
  const StageDirectory& stage_;
  const TrustPolicy& policy_;
  Scanner* scanner_;
  VerdictCache* verdicts_;
  const Quarantine* quarantine_;
  std::vector<std::optional<Checked>> files_;
  std::size_t taken_ = 0;  // used by the caller's thread alone
  std::mutex mutex_;       // guards prepared_ and scanned_
  std::condition_variable advanced_;
  std::size_t prepared_ = 0;
  std::size_t scanned_ = 0;

  std::jthread preparing_, scanning_;  // last: they end before the other members
};

/// Makes the error about a plugin more precise by examining this machine's libraries: explained(),
/// for the bytes of its private copy.
PluginError explained_of_copy(PluginError error, const CheckedPlugin& plugin);

}  // namespace weir
