#include "plugin/library_reaper.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "base/file_bytes.hpp"
#include "plugin/file_mapping.hpp"
#include "plugin/unload_hazard.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t closed_at_once = 64;   // then other threads may load
constexpr auto first_poll_interval = 100ms;  // of pinned libraries; doubles each time
constexpr auto longest_poll_interval = 10'000ms;

// Whether there is a reaper: a program that loads nothing starts none.
std::atomic<bool> has_begun = false;

// The file's name is the hash of its bytes: it identifies the copy by whatever path it was mapped.
bool is_mapped(const Library& library, const std::vector<FileMapping>& mappings) {
  const std::string name = "/" + library.staged().path().filename().string();
  return std::ranges::any_of(mappings, [&](const FileMapping& mapping) {
    return mapping.path.ends_with(name) &&
           std::ranges::any_of(library.memory().segments(), [&](const auto& segment) {
             return mapping.begin < segment.end && segment.begin < mapping.end;
           });
  });
}

std::string why_pinned(const Library& library) {
  const std::string bytes = file_bytes(library.staged().path());
  std::string why;
  for (const UnloadHazard& hazard : unload_hazards(bytes))
    why += fmt::format("{}{} ({})", why.empty() ? "" : "; ", hazard.detail, hazard.hint);
  return why.empty() ? "its file does not show why; a thread of its own may be running, or another "
                       "library may use its symbols"
                     : why;
}

}  // namespace

LibraryReaper& LibraryReaper::of_process() {
  // Never destroyed: threads that outlive main may still hold libraries.
  static auto& reaper = *new LibraryReaper;
  return reaper;
}

LibraryReaper::LibraryReaper() {
  // Release, with the acquires on the reaper's thread.
  static_cast<void>(
      std::atexit([] { of_process().exiting_.store(true, std::memory_order_release); }));
  std::thread([this] { run(); }).detach();
  has_begun.store(true, std::memory_order_release);
}

void stop_unloading() {
  if (!has_begun.load(std::memory_order_acquire)) return;
  LibraryReaper& reaper = LibraryReaper::of_process();
  reaper.exiting_.store(true, std::memory_order_release);
  const std::scoped_lock until_closed(reaper.loading_);
}

std::expected<LibraryReaper::Holding, PluginError> LibraryReaper::hold(const std::string& sha256,
                                                                       const Open& open) {
  if (Holding found = find(sha256)) return found;
  const std::scoped_lock one_at_a_time(loading_);
  if (Holding found = find(sha256)) return found;  // another thread has loaded it meanwhile
  auto opened = open();
  if (!opened) return std::unexpected(std::move(opened.error()));
  // A pinned library with this base is in use again: the loader returned the same mapping.
  std::erase_if(pinned_,
                [&](const Closed& pinned) { return pinned.library->base() == (*opened)->base(); });
  const std::scoped_lock lock(mutex_);
  note_pinned();
  Entry& entry = entries_[sha256];
  WEIR_ASSERT(entry.library == nullptr);  // only who has loading_ locked adds one
  entry.library = *std::move(opened);
  return make_hold(sha256, entry);
}

LibraryReaper::Holding LibraryReaper::find(const std::string& sha256) {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(sha256);
  if (entry == entries_.end()) return nullptr;
  if (Holding held = entry->second.handle.lock()) return held;
  return make_hold(sha256, entry->second);
}

LibraryReaper::Holding LibraryReaper::make_hold(const std::string& sha256, Entry& entry) {
  WEIR_ASSERT(entry.library != nullptr);
  const std::uint64_t number = ++holds_;
  Holding made(entry.library.get(),
               [this, sha256, number](const Library*) { release(sha256, number); });
  entry.handle = made;
  entry.hold = number;
  if (std::exchange(entry.queued, false)) --queued_;
  return made;
}

void LibraryReaper::release(const std::string& sha256, std::uint64_t hold) {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(sha256);
  if (entry == entries_.end() || entry->second.hold != hold) return;
  WEIR_ASSERT(!entry->second.queued);  // a hold ends once
  entry->second.queued = true;
  ++queued_;
  wake_.notify_one();
}

void LibraryReaper::run() {
  auto poll_interval = first_poll_interval;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto has_queued = [this] { return queued_ > 0; };
      if (still_mapped_.empty()) {
        poll_interval = first_poll_interval;
        wake_.wait(lock, has_queued);
      } else if (wake_.wait_for(lock, poll_interval, has_queued)) {
        poll_interval = first_poll_interval;
      } else {
        poll_interval = std::min(2 * poll_interval, longest_poll_interval);
      }
    }
    if (exiting_.load(std::memory_order_acquire)) return;  // what is queued stays so
    notify(close_some());
    const std::scoped_lock lock(mutex_);
    closing_.clear();
    idle_.notify_all();
  }
}

std::vector<LibraryReaper::Closed> LibraryReaper::take_queued() {
  std::vector<Closed> taken;
  const std::scoped_lock lock(mutex_);
  if (exiting_.load(std::memory_order_acquire)) return taken;
  for (auto entry = entries_.begin(); entry != entries_.end() && taken.size() < closed_at_once;) {
    if (!entry->second.queued) {
      ++entry;
      continue;
    }
    closing_.push_back(entry->first);
    taken.push_back({.library = std::move(entry->second.library), .sha256 = entry->first});
    entry = entries_.erase(entry);
  }
  WEIR_ASSERT(taken.size() <= queued_);
  queued_ -= taken.size();
  return taken;
}

std::vector<LibraryReaper::Notification> LibraryReaper::close_some() {
  std::vector<Notification> notifications;
  const std::scoped_lock one_at_a_time(loading_);
  std::vector<Closed> closed = take_queued();
  for (const Closed& each : closed) each.library->close();
  if (!exiting_.load(std::memory_order_acquire))
    for (const Closed& each : pinned_) Library::retry_unmap(each.library->staged());
  const auto mappings = file_mappings();
  const auto is_unmapped = [&](const Closed& each) {
    return mappings ? !is_mapped(*each.library, *mappings)
                    : !Library::is_loaded(each.library->staged());
  };
  const auto report_of = [](const Closed& each, std::string why) {
    return UnloadReport{
        .sha256 = each.sha256, .staged = each.library->staged().path(), .why = std::move(why)};
  };
  std::erase_if(pinned_, [&](const Closed& each) {
    const bool unmapped = is_unmapped(each);
    if (unmapped) notifications.push_back({.report = report_of(each, {}), .pinned = false});
    return unmapped;
  });
  for (Closed& each : closed) {
    if (is_unmapped(each)) {
      notifications.push_back({.report = report_of(each, {}), .pinned = false});
    } else {
      notifications.push_back(
          {.report = report_of(each, why_pinned(*each.library)), .pinned = true});
      pinned_.push_back(std::move(each));
    }
  }
  const std::scoped_lock lock(mutex_);
  note_pinned();
  return notifications;
}

void LibraryReaper::note_pinned() {
  still_mapped_.clear();
  for (const Closed& each : pinned_) still_mapped_.push_back(each.sha256);
}

void LibraryReaper::notify(const std::vector<Notification>& all) {
  const std::scoped_lock lock(observers_mutex_);
  for (const Notification& notification : all)
    for (const Observer& observer : observers_)
      if (const auto& callback = notification.pinned ? observer.pinned : observer.unloaded)
        callback(notification.report);
}

std::shared_ptr<const void> LibraryReaper::observe(Observer observer) {
  const std::scoped_lock lock(observers_mutex_);
  const auto place = observers_.insert(observers_.end(), std::move(observer));
  return {&*place, [this, place](const void*) {
            const std::scoped_lock erasing(observers_mutex_);
            observers_.erase(place);
          }};
}

LibraryReaper::Counts LibraryReaper::counts() const {
  const std::scoped_lock lock(mutex_);
  WEIR_ASSERT(queued_ <= entries_.size());  // what is queued is in the table
  return {.held = entries_.size() - queued_,
          .queued = queued_ + closing_.size(),
          .pinned = still_mapped_.size()};
}

bool LibraryReaper::knows(const std::string& sha256) const {
  const std::scoped_lock lock(mutex_);
  return entries_.contains(sha256) || std::ranges::find(closing_, sha256) != closing_.end() ||
         std::ranges::find(still_mapped_, sha256) != still_mapped_.end();
}

bool LibraryReaper::wait_until_idle(Steady deadline) const {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline, [this] { return queued_ == 0 && closing_.empty(); });
}

}  // namespace weir
