#include "plugin/plugin_watcher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

constexpr auto scan_interval_min = 50ms;  // between scans, however much happens in a folder
constexpr auto longest_retry = 60'000ms;

Steady now() { return std::chrono::steady_clock::now(); }

// Faults that an incomplete file may show.
bool may_be_incomplete(PluginFault fault) {
  switch (fault) {
    case PluginFault::not_found:
    case PluginFault::not_elf:
    case PluginFault::truncated:
    case PluginFault::damaged:
    case PluginFault::no_manifest:
    case PluginFault::bad_manifest:
    case PluginFault::missing_symbol:
      return true;
    default:
      return false;
  }
}

// Faults that may disappear without a change of the file.
bool may_be_transient(PluginFault fault) {
  switch (fault) {
    case PluginFault::unreadable:
    case PluginFault::untrusted_path:
    case PluginFault::missing_dependency:
    case PluginFault::undefined_symbol:
    case PluginFault::noexec_mount:
    case PluginFault::stage_failed:
    case PluginFault::load_failed:
    case PluginFault::scan_timeout:
    case PluginFault::scan_crashed:
    case PluginFault::scan_exited:
    case PluginFault::plugin_quarantined:
      return true;
    default:
      return false;
  }
}

}  // namespace

PluginWatcher::PluginWatcher(std::vector<fs::path> folders, const PluginLoader& loader,
                             FlowRegistry& registry, PluginBoard& board, PluginObserver observer,
                             Options options)
    : folders_(std::move(folders)),
      loader_(loader),
      observer_(std::move(observer)),
      options_(options),
      files_({.quiet = options.quiet}),
      published_(registry, board, observer_) {
  WEIR_DEBUG_ASSERT(
      std::ranges::all_of(folders_, [](const fs::path& folder) { return folder.is_absolute(); }));
  const auto on_unload = [this](bool pinned) {
    return [this, pinned](const LibraryReaper::UnloadReport& report) {
      {
        const std::scoped_lock lock(unloads_mutex_);
        unloads_.emplace_back(report, pinned);
      }
      events_.wake();
    };
  };
  subscription_ = LibraryReaper::of_process().observe(
      {.unloaded = on_unload(false), .pinned = on_unload(true)});
}

PluginWatcher::~PluginWatcher() = default;

void PluginWatcher::start() {
  if (std::exchange(started_, true)) return;
  round(true);
}

void PluginWatcher::run() {
  start();
  while (!stopped_.load(std::memory_order_acquire)) {
    // A file that is being written changes all the time; a scan now and then is enough.
    if (events_.wait(next_wake())) events_.pause(last_scan_ + scan_interval_min);
    if (stopped_.load(std::memory_order_acquire)) return;
    round(false);
  }
}

void PluginWatcher::stop() noexcept {
  stopped_.store(true, std::memory_order_release);
  events_.wake();
}

void PluginWatcher::rescan() noexcept { events_.wake(); }

Steady PluginWatcher::next_wake() const {
  Steady wake = last_scan_ + options_.rescan;
  if (const auto next = files_.next()) wake = std::min(wake, *next);
  for (const auto& [path, refusal] : pending_refusals_) wake = std::min(wake, refusal.due);
  for (const auto& [path, folder] : folder_states_)
    if (folder.missing && *folder.missing + options_.folder_patience > last_scan_)
      wake = std::min(wake, *folder.missing + options_.folder_patience);
  return wake;
}

void PluginWatcher::round(bool first) {
  handle_unloads();
  scan_folders(first);
  retry_due_files();
  SettlingFiles::Batch batch = files_.take(now(), first);
  // One that collided may take the place of what is gone, and continue its flows; and files that
  // exchange their names collide one by one, but not together.
  if (!batch.removed.empty() || !batch.settled.empty()) batch = with_collided(std::move(batch));
  // A name that became free may be wanted by a plugin that collided: repeat until none becomes free.
  bool again = handle_batch(batch);
  while (again && !stopped_.load(std::memory_order_acquire))
    again = handle_batch(with_collided({}));
  report_due_refusals();
  published_.forget_ended();
}

SettlingFiles::Batch PluginWatcher::with_collided(SettlingFiles::Batch batch) {
  for (const fs::path& path : published_.collided())
    if (std::ranges::find(batch.settled, path, &SettlingFiles::SettledFile::path) ==
        batch.settled.end())
      files_.requeue(path, now());
  SettlingFiles::Batch more = files_.take(now());
  std::ranges::move(more.settled, std::back_inserter(batch.settled));
  std::ranges::move(more.removed, std::back_inserter(batch.removed));
  return batch;
}

void PluginWatcher::scan_folders(bool first) {
  // Watched first: later changes cause events, earlier ones are seen by the scan.
  events_.watch(folders_);
  if (events_.problem().empty()) {
    reported_no_events_ = false;
  } else if (!std::exchange(reported_no_events_, true) && observer_.no_file_events) {
    observer_.no_file_events(events_.problem());
  }
  FolderSnapshot all;
  for (const fs::path& folder : folders_)
    all.merge(scan_folder(folder, folder_states_[folder], first));
  last_scan_ = now();
  files_.update(all, last_scan_, std::chrono::system_clock::now());
}

FolderSnapshot PluginWatcher::scan_folder(const fs::path& path, FolderState& folder, bool first) {
  auto snapshot = snapshot_of(path);
  if (snapshot) {
    folder.missing.reset();
    published_.withdraw_refusal(path);
    folder.last = *std::move(snapshot);
    return folder.last;
  }
  // A folder that can't be read may still contain the same files. A missing one may be about to be
  // replaced.
  const bool missing = snapshot.error().kind != PluginFault::unreadable;
  if (!folder.missing) folder.missing = now();
  if (first || now() - *folder.missing >= options_.folder_patience) {
    published_.refuse(std::move(snapshot.error()));
    if (missing) folder.last.clear();
  }
  return folder.last;
}

bool PluginWatcher::handle_batch(const SettlingFiles::Batch& batch) {
  for (const fs::path& path : batch.removed) {
    pending_refusals_.erase(path);
    retries_.erase(path);
  }
  if (batch.settled.empty() && batch.removed.empty()) return false;
  std::vector<OpenedPlugin> opened = load(batch.settled);
  std::vector<fs::path> paths;
  for (const OpenedPlugin& plugin : opened) paths.emplace_back(plugin.inspection.file.path);
  const bool freed = published_.publish(std::move(opened), batch.removed);
  const std::vector<fs::path> collided = published_.collided();
  for (const fs::path& path : paths)
    if (std::ranges::find(collided, path) == collided.end())
      retries_.erase(path);
    else
      retry_later(path);  // who else uses the registry may free the name
  return freed;
}

std::vector<OpenedPlugin> PluginWatcher::load(
    const std::vector<SettlingFiles::SettledFile>& files) {
  std::vector<OpenedPlugin> opened;
  if (files.empty()) return opened;
  std::vector<fs::path> paths;
  for (const SettlingFiles::SettledFile& file : files) paths.push_back(file.path);
  std::vector<LoadResult> results = loader_.load(paths);
  WEIR_ASSERT(results.size() == files.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const SettlingFiles::SettledFile& file = files[i];
    pending_refusals_.erase(file.path);
    // What was read while the file changed may be a mixture; the next scan sees the change.
    if (identity_of(file.path) != file.identity) continue;
    if (!results[i]) {
      refuse(file, std::move(results[i].error()));
      continue;
    }
    opened.push_back(*std::move(results[i]));
  }
  return opened;
}

void PluginWatcher::refuse(const SettlingFiles::SettledFile& file, PluginError error) {
  if (may_be_transient(error.kind))
    retry_later(file.path);
  else
    retries_.erase(file.path);
  const Steady report_at = file.since + options_.refusal_delay;
  if (may_be_incomplete(error.kind) && now() < report_at)
    pending_refusals_.insert_or_assign(
        file.path,
        PendingRefusal{.error = std::move(error), .identity = file.identity, .due = report_at});
  else
    published_.refuse(std::move(error));
}

void PluginWatcher::retry_later(const fs::path& path) {
  const auto before = retries_.find(path);
  const auto delay = before == retries_.end() ? options_.rescan
                                              : std::min<std::chrono::milliseconds>(
                                                    2 * before->second.delay, longest_retry);
  retries_[path] = {.delay = delay, .due = now() + delay};
}

void PluginWatcher::retry_due_files() {
  for (const auto& [path, retry] : retries_)
    if (retry.due <= now()) files_.requeue(path, now());
}

void PluginWatcher::report_due_refusals() {
  std::erase_if(pending_refusals_, [&](auto& each) {
    if (each.second.due > now()) return false;
    // Changed again: it will be read when it is quiet.
    if (identity_of(each.first) != each.second.identity) return true;
    published_.refuse(std::move(each.second.error));
    return true;
  });
}

void PluginWatcher::handle_unloads() {
  std::vector<std::pair<LibraryReaper::UnloadReport, bool>> unloads;
  {
    const std::scoped_lock lock(unloads_mutex_);
    unloads.swap(unloads_);
  }
  for (const auto& [report, pinned] : unloads)
    pinned ? published_.pinned(report) : published_.unloaded(report);
}

}  // namespace weir
