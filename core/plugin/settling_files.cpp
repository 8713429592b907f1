#include "plugin/settling_files.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace weir {
namespace fs = std::filesystem;

void SettlingFiles::update(const FolderSnapshot& snapshot, Steady now,
                           std::chrono::system_clock::time_point clock) {
  for (const auto& [path, identity] : snapshot) note(known_[path], identity, now, clock);
  for (auto known = known_.begin(); known != known_.end();) {
    Known& file = known->second;
    if (!file.present || snapshot.contains(known->first)) {
      ++known;
    } else if (file.taken) {
      file.present = false;
      file.since = file.noticed = now;
      file.due = now + timing_.quiet;
      ++known;
    } else {
      known = known_.erase(known);
    }
  }
}

void SettlingFiles::note(Known& known, const FileIdentity& identity, Steady now,
                         std::chrono::system_clock::time_point clock) const {
  if (known.present && known.identity == identity) return;
  const auto age = std::chrono::duration_cast<Steady::duration>(
      clock.time_since_epoch() - std::chrono::nanoseconds(identity.changed_ns));
  // A file dated in the future has an unknown age.
  known.since = age > Steady::duration::zero() ? now - age : now;
  known.noticed = now;
  known.identity = identity;
  known.present = true;
  known.due = known.since + timing_.quiet;
}

std::optional<Steady> SettlingFiles::next() const {
  std::optional<Steady> first;
  for (const auto& [path, known] : known_)
    if (known.due && (!first || *known.due < *first)) first = known.due;
  if (!first) return std::nullopt;
  Steady last = *first;
  for (const auto& [path, known] : known_)
    if (known.due && *known.due <= *first + timing_.quiet / 4) last = std::max(last, *known.due);
  return last;
}

SettlingFiles::Batch SettlingFiles::take(Steady now, bool at_once) {
  Batch batch;
  // A file that is removed and a new one may be one file that was renamed: they are taken together.
  std::optional<Steady> removal_due;
  for (const auto& [path, known] : known_)
    if (known.due && !known.present && *known.due > now && !at_once)
      removal_due = std::max(removal_due.value_or(*known.due), *known.due);
  // The other way round, too: the new one may be a copy that is still being written.
  std::optional<Steady> arrival_due;
  for (const auto& [path, known] : known_)
    if (known.due && known.present && !known.taken && !at_once &&
        (*known.due > now || may_be_half(path, known, now)))
      arrival_due = std::max(arrival_due.value_or(*known.due), *known.due);
  for (auto each = known_.begin(); each != known_.end();) {
    Known& known = each->second;
    if (!known.due || (!at_once && *known.due > now)) {
      ++each;
    } else if (!known.present && arrival_due && now - known.noticed < timing_.writer_patience) {
      known.due = std::max(*arrival_due, now + timing_.quiet / 4);
      ++each;
    } else if (!known.present) {
      WEIR_ASSERT(known.taken);  // what had not settled is forgotten at once
      batch.removed.push_back(each->first);
      each = known_.erase(each);
    } else if (removal_due && !known.taken && now - known.noticed < 2 * timing_.quiet) {
      known.due = removal_due;
      ++each;
    } else if (may_be_half(each->first, known, now)) {
      known.due = now + timing_.quiet;
      ++each;
    } else {
      known.due.reset();
      known.taken = true;
      batch.settled.push_back({each->first, known.identity, known.since});
      ++each;
    }
  }
  return batch;
}

// Whether a file that is there is being written, as far as one waits for that.
bool SettlingFiles::may_be_half(const fs::path& path, const Known& known, Steady now) const {
  return now - known.since < timing_.writer_patience && writing_(path);
}

void SettlingFiles::requeue(const fs::path& path, Steady when) {
  const auto known = known_.find(path);
  if (known == known_.end() || !known->second.present) return;
  known->second.due = std::min(known->second.due.value_or(when), when);
}

}  // namespace weir
