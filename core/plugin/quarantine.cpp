#include "plugin/quarantine.hpp"

#include <algorithm>
#include <utility>

namespace weir {

// Without what no longer counts.
Quarantine::Entry& Quarantine::entry_of(const std::string& sha256, Steady now) {
  Entry& entry = entries_[sha256];
  std::erase_if(entry.crashes, [&](Steady at) { return at + limit_.window <= now; });
  if (entry.until && *entry.until + limit_.longest <= now) entry.last = {};
  return entry;
}

Steady Quarantine::bar(Entry& entry, Steady now) const {
  entry.last = entry.last.count() == 0 ? limit_.first : std::min(2 * entry.last, limit_.longest);
  entry.crashes.clear();
  return entry.until.emplace(now + entry.last);
}

std::optional<Steady> Quarantine::crashed(const std::string& sha256, Steady now) {
  std::optional<Steady> until;
  {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entry_of(sha256, now);
    entry.crashes.push_back(now);
    // After a quarantine one more crash is enough.
    if (entry.crashes.size() > limit_.max_crashes || entry.last.count() > 0) {
      entry.load_crash.clear();
      until = bar(entry, now);
    }
  }
  if (until && on_change_) on_change_();
  return until;
}

Steady Quarantine::crashed_loading(const std::string& sha256, std::string crash, Steady now) {
  WEIR_ASSERT(!crash.empty());  // it says that it was no crash of a step
  Steady until;
  {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entry_of(sha256, now);
    entry.load_crash = std::move(crash);
    until = bar(entry, now);
  }
  if (on_change_) on_change_();
  return until;
}

std::optional<Quarantine::LoadBar> Quarantine::barred_loading(const std::string& sha256,
                                                              Steady now) const {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(sha256);
  if (entry == entries_.end() || entry->second.load_crash.empty() || !entry->second.until ||
      *entry->second.until <= now)
    return std::nullopt;
  return LoadBar{.crash = entry->second.load_crash, .until = *entry->second.until};
}

std::optional<Steady> Quarantine::barred(const std::string& sha256, Steady now) const {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(sha256);
  if (entry == entries_.end() || !entry->second.until || *entry->second.until <= now)
    return std::nullopt;
  return entry->second.until;
}

std::optional<Steady> Quarantine::next_release(Steady now) const {
  const std::scoped_lock lock(mutex_);
  std::optional<Steady> next;
  for (const auto& [sha256, entry] : entries_)
    if (entry.until && *entry.until > now && (!next || *entry.until < *next)) next = entry.until;
  return next;
}

std::vector<Quarantine::Record> Quarantine::records() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Record> all;
  for (const auto& [sha256, entry] : entries_)
    all.push_back({.sha256 = sha256,
                   .crashes = {entry.crashes.begin(), entry.crashes.end()},
                   .until = entry.until,
                   .last = entry.last,
                   .load_crash = entry.load_crash});
  return all;
}

void Quarantine::restore(std::vector<Record> records) {
  const std::scoped_lock lock(mutex_);
  for (Record& record : records)
    entries_.insert_or_assign(std::move(record.sha256),
                              Entry{.crashes = {record.crashes.begin(), record.crashes.end()},
                                    .until = record.until,
                                    .last = record.last,
                                    .load_crash = std::move(record.load_crash)});
}

}  // namespace weir
