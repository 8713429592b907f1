/// The names of living children, of one tree or of many. It is passed to supervisors, so a test or
/// a second tree in one process can have names of its own.
///
/// Threads: every member may be called from any thread.
///
/// Invariants:
/// - A name has one holder at most, from before its start until after its end.
/// - It is found only while the child runs: not before its start succeeded, not once it reported
///   its end or was asked to stop.
#pragma once
#include <cassert>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <weir/result.hpp>
#include <weir/supervisor/child.hpp>
#include <weir/supervisor/life.hpp>
#include <weir/sync.hpp>

namespace weir {

template <class Sync = StdSync>
class BasicChildNames {
 public:
  /// The living child of that name; nullptr when there is none.
  /// Cost: a lock and one lookup; never waits for a start or a stop.
  std::shared_ptr<Child> whereis(const std::string& name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end() || !found->second.life) return nullptr;
    if (found->second.life->over.load(std::memory_order_acquire)) return nullptr;  // with report()
    return found->second.child;
  }

 private:
  template <class>
  friend class BasicSupervisor;

  using Life = supervisor::Life<Sync>;
  struct Entry {
    std::string holder;  ///< for messages: "tokens/alice"
    std::shared_ptr<Child> child{};
    std::shared_ptr<Life> life{};  ///< null while it must not be found
  };

  /// Takes the name, which is not found yet. Errors: conflict, kind "name_taken", naming the
  /// holder.
  Result<void> claim(const std::string& name, const std::string& holder) {
    const std::scoped_lock lock(mutex_);
    const auto [entry, claimed] = entries_.try_emplace(name, Entry{.holder = holder});
    if (claimed) return {};
    return std::unexpected(Error{.code = ErrorCode::conflict,
                                 .kind = "name_taken",
                                 .message = "the name \"" + name + "\" that \"" + holder +
                                            "\" wants is held by \"" + entry->second.holder + "\"",
                                 .hint = "stop one of them, or give one another name"});
  }
  void show(const std::string& name, std::shared_ptr<Child> child, std::shared_ptr<Life> life) {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_.at(name);
    assert(!entry.child && !entry.life);  // claimed, and not found yet
    entry.child = std::move(child);
    entry.life = std::move(life);
  }
  void hide(const std::string& name) {
    Entry last;  // its child may be destroyed here, outside the lock
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_.at(name);
    last.child = std::move(entry.child);
    last.life = std::move(entry.life);
    entry.child = nullptr;
    entry.life = nullptr;
  }
  void release(const std::string& name) {
    typename std::map<std::string, Entry>::node_type last;
    const std::scoped_lock lock(mutex_);
    last = entries_.extract(name);
    assert(!last.empty());  // it was claimed
  }

  mutable typename Sync::Mutex mutex_;  // guards what follows
  std::map<std::string, Entry> entries_;
};

using ChildNames = BasicChildNames<>;

}  // namespace weir
