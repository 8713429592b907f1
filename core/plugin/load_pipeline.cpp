#include "plugin/load_pipeline.hpp"

#include <chrono>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "base/file_bytes.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

LoadPipeline::Checked prepared(const fs::path& path, TrustedFiles& files,
                               const StageDirectory& stage, const TrustPolicy& policy) {
  const auto file = files.read(path, policy);
  if (!file) return std::unexpected(file.error());
  auto inspection = inspect_bytes(*file);
  if (!inspection) return std::unexpected(explained(std::move(inspection.error()), *file));
  auto staged = stage.put(*file);
  if (!staged) return std::unexpected(placed(std::move(staged.error()), inspection->file));
  return CheckedPlugin{.inspection = *std::move(inspection), .staged = *std::move(staged)};
}

}  // namespace

LoadPipeline::LoadPipeline(std::span<const fs::path> paths, const StageDirectory& stage,
                           const TrustPolicy& policy, Scanner* scanner, VerdictCache* verdicts,
                           const Quarantine* quarantine)
    : paths_(paths),
      stage_(stage),
      policy_(policy),
      scanner_(scanner),
      verdicts_(verdicts),
      quarantine_(quarantine),
      files_(paths.size()) {
  if (paths_.size() < 2) {  // nothing could be done in parallel
    prepare();
    scan();
    return;
  }
  preparing_ = std::jthread([this] { prepare(); });
  if (scanner_ != nullptr) scanning_ = std::jthread([this] { scan(); });
}

LoadPipeline::Checked LoadPipeline::take() {
  WEIR_ASSERT(taken_ < files_.size());  // else it would wait for ever
  {
    std::unique_lock lock(mutex_);
    const std::size_t& ready = scanner_ != nullptr ? scanned_ : prepared_;
    advanced_.wait(lock, [&] { return ready > taken_; });
  }
  WEIR_ASSERT(files_[taken_].has_value());
  return *std::exchange(files_[taken_++], std::nullopt);
}

void LoadPipeline::prepare() {
  TrustedFiles files;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    files_[i] = prepared(paths_[i], files, stage_, policy_);
    const std::scoped_lock lock(mutex_);
    prepared_ = i + 1;
    advanced_.notify_all();
  }
}

std::size_t LoadPipeline::wait_prepared(std::size_t more_than) {
  std::unique_lock lock(mutex_);
  advanced_.wait(lock, [&] { return prepared_ > more_than; });
  return prepared_;
}

void LoadPipeline::note_scanned(std::size_t end) {
  const std::scoped_lock lock(mutex_);
  WEIR_ASSERT(end >= scanned_ && end <= prepared_);
  scanned_ = end;
  advanced_.notify_all();
}

void LoadPipeline::scan() {
  if (scanner_ == nullptr) return;
  DependencyState dependencies;
  Scanner::Session session(*scanner_);
  for (std::size_t done = 0; done < paths_.size();) {
    const std::size_t end = wait_prepared(done);
    scan_range(done, end, session, dependencies);
    done = end;
    note_scanned(done);
  }
}

std::optional<VerdictCache::Verdict> LoadPipeline::known_verdict(const std::string& key,
                                                                 const PluginFile& plugin) const {
  if (quarantine_ != nullptr &&
      quarantine_->barred_loading(plugin.sha256, std::chrono::steady_clock::now()))
    return std::nullopt;
  return verdicts_->find(key, plugin);
}

void LoadPipeline::scan_range(std::size_t begin, std::size_t end, Scanner::Session& session,
                              DependencyState& dependencies) {
  std::vector<Scanner::Order> orders;
  std::vector<std::pair<std::size_t, std::string>> ordered;  // which file, and its key
  const auto refuse = [&](std::size_t i, PluginError error) {
    files_[i] = std::unexpected(explained_of_copy(std::move(error), **files_[i]));
  };
  for (std::size_t i = begin; i < end; ++i) {
    if (!*files_[i]) continue;
    const CheckedPlugin& plugin = **files_[i];
    std::string key;
    if (verdicts_ != nullptr) {
      key = VerdictCache::key_of(plugin.inspection, dependencies);
      if (const auto known = known_verdict(key, plugin.inspection.file)) {
        if (known->refused) refuse(i, *known->refused);
        continue;
      }
    }
    orders.push_back({.file = plugin.inspection.file, .staged = plugin.staged.path()});
    ordered.emplace_back(i, std::move(key));
  }
  session.scan(orders, [&](std::size_t n, std::optional<PluginError> refused) {
    const auto& [i, key] = ordered[n];
    if (verdicts_ != nullptr) verdicts_->put(key, refused);
    if (refused) refuse(i, *std::move(refused));
    note_scanned(i + 1);
  });
}

PluginError explained_of_copy(PluginError error, const CheckedPlugin& plugin) {
  if (error.kind != PluginFault::load_failed) return error;
  const TrustedFile file{.path = plugin.inspection.file.path,
                         .bytes = file_bytes(plugin.staged.path()),
                         .sha256 = plugin.inspection.file.sha256};
  return explained(std::move(error), file);
}

}  // namespace weir
