#include "plugin/plugin_watcher.hpp"

#include <algorithm>
#include <utility>

namespace weir {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

constexpr auto looks_apart = 50ms;  // between scans, however much happens in a folder
constexpr auto longest_retry = 60'000ms;

Steady now() { return std::chrono::steady_clock::now(); }

// Faults that an incomplete file may show.
bool may_be_half(PluginFault fault) {
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
bool may_pass(PluginFault fault) {
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
  const auto hear = [this](bool pinned) {
    return [this, pinned](const LibraryReaper::Leaving& leaving) {
      {
        const std::scoped_lock lock(heard_mutex_);
        heard_.emplace_back(leaving, pinned);
      }
      events_.wake();
    };
  };
  hearing_ = LibraryReaper::of_process().observe({.unloaded = hear(false), .pinned = hear(true)});
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
    if (events_.wait(next_wake())) events_.pause(last_look_ + looks_apart);
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
  Steady wake = last_look_ + options_.rescan;
  if (const auto next = files_.next()) wake = std::min(wake, *next);
  for (const auto& [path, unsaid] : unsaid_) wake = std::min(wake, unsaid.when);
  for (const auto& [path, folder] : looks_)
    if (folder.missing && *folder.missing + options_.folder_patience > last_look_)
      wake = std::min(wake, *folder.missing + options_.folder_patience);
  return wake;
}

void PluginWatcher::round(bool first) {
  hear_reaper();
  look(first);
  try_again();
  // A name that became free may be wanted by a plugin that collided: repeat until none becomes
  // free.
  bool frees = deal_with(files_.take(now(), first));
  while (frees) {
    for (const fs::path& path : published_.collided()) files_.again(path, now());
    frees = deal_with(files_.take(now()));
  }
  say_unsaid();
  published_.forget_ended();
}

void PluginWatcher::look(bool first) {
  // Watched first: later changes cause events, earlier ones are seen by the scan.
  events_.watch(folders_);
  if (events_.trouble().empty()) {
    said_alone_ = false;
  } else if (!std::exchange(said_alone_, true) && observer_.rescans_alone) {
    observer_.rescans_alone(events_.trouble());
  }
  FolderSnapshot all;
  for (const fs::path& folder : folders_) all.merge(look_at(folder, looks_[folder], first));
  last_look_ = now();
  files_.look(all, last_look_, std::chrono::system_clock::now());
}

FolderSnapshot PluginWatcher::look_at(const fs::path& path, Folder& folder, bool first) {
  auto snapshot = snapshot_of(path);
  if (snapshot) {
    folder.missing.reset();
    published_.accept(path);
    folder.last = *std::move(snapshot);
    return folder.last;
  }
  // A folder that can't be read may still contain the same files. A missing one may be about to be
  // replaced.
  const bool gone = snapshot.error().kind != PluginFault::unreadable;
  if (!folder.missing) folder.missing = now();
  if (first || now() - *folder.missing >= options_.folder_patience) {
    published_.refuse(std::move(snapshot.error()));
    if (gone) folder.last.clear();
  }
  return folder.last;
}

bool PluginWatcher::deal_with(SettlingFiles::Batch batch) {
  for (const fs::path& path : batch.gone) {
    unsaid_.erase(path);
    retries_.erase(path);
  }
  if (batch.arrived.empty() && batch.gone.empty()) return false;
  return published_.publish(load(batch.arrived), batch.gone);
}

std::vector<OpenedPlugin> PluginWatcher::load(const std::vector<SettlingFiles::Arrived>& arrived) {
  std::vector<OpenedPlugin> opened;
  if (arrived.empty()) return opened;
  std::vector<fs::path> paths;
  for (const SettlingFiles::Arrived& file : arrived) paths.push_back(file.path);
  std::vector<LoadResult> results = loader_.load(paths);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const SettlingFiles::Arrived& file = arrived[i];
    unsaid_.erase(file.path);
    // What was read while the file changed may be a mixture; the next scan sees the change.
    if (identity_of(file.path) != file.identity) continue;
    if (!results[i]) {
      refuse(file, std::move(results[i].error()));
      continue;
    }
    retries_.erase(file.path);
    opened.push_back(*std::move(results[i]));
  }
  return opened;
}

void PluginWatcher::refuse(const SettlingFiles::Arrived& file, PluginError error) {
  if (may_pass(error.kind)) {
    const auto before = retries_.find(file.path);
    const auto after = before == retries_.end() ? options_.rescan
                                                : std::min<std::chrono::milliseconds>(
                                                      2 * before->second.after, longest_retry);
    retries_[file.path] = {.after = after, .when = now() + after};
  } else {
    retries_.erase(file.path);
  }
  const Steady grown_up = file.since + options_.youth;
  if (may_be_half(error.kind) && now() < grown_up)
    unsaid_.insert_or_assign(
        file.path, Unsaid{.error = std::move(error), .of = file.identity, .when = grown_up});
  else
    published_.refuse(std::move(error));
}

void PluginWatcher::try_again() {
  for (const auto& [path, retry] : retries_)
    if (retry.when <= now()) files_.again(path, now());
}

void PluginWatcher::say_unsaid() {
  std::erase_if(unsaid_, [&](auto& each) {
    if (each.second.when > now()) return false;
    // Changed again: it will be read when it is quiet.
    if (identity_of(each.first) != each.second.of) return true;
    published_.refuse(std::move(each.second.error));
    return true;
  });
}

void PluginWatcher::hear_reaper() {
  std::vector<std::pair<LibraryReaper::Leaving, bool>> heard;
  {
    const std::scoped_lock lock(heard_mutex_);
    heard.swap(heard_);
  }
  for (const auto& [leaving, pinned] : heard)
    pinned ? published_.pinned(leaving) : published_.unloaded(leaving);
}

}  // namespace weir
