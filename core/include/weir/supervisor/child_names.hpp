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
#include <weir/supervisor/child_name.hpp>
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
    if (found == entries_.end() || !found->second.child) return nullptr;
    if (found->second.life->over.load(std::memory_order_acquire)) return nullptr;  // with report()
    return found->second.child;
  }

 private:
  template <class>
  friend class BasicSupervisor;

  using Life = supervisor::Life<Sync>;
  struct Entry {
    std::string holder;  ///< for messages: "tokens/alice"
    std::shared_ptr<Life> life;
    std::shared_ptr<Child> child{};  ///< null while it must not be found
  };
  using Entries = std::map<std::string, Entry>;

  class Claim final : public ChildName::Claim {
   public:
    Claim(BasicChildNames& names, typename Entries::iterator at) : names_(names), at_(at) {}
    ~Claim() override {
      typename Entries::node_type last;  // its child may be destroyed here, outside the lock
      const std::scoped_lock lock(names_.mutex_);
      last = names_.entries_.extract(at_);
    }
    void show(const std::shared_ptr<Child>& child) override {
      const std::scoped_lock lock(names_.mutex_);
      assert(!at_->second.child);
      at_->second.child = child;
    }
    void hide() override {
      std::shared_ptr<Child> last;  // as above
      const std::scoped_lock lock(names_.mutex_);
      last = std::move(at_->second.child);
    }

   private:
    BasicChildNames& names_;
    typename Entries::iterator at_;
  };

  /// Takes the name for a life; it is not found yet. Errors: conflict, kind "name_taken", naming
  /// the holder.
  Result<std::unique_ptr<ChildName::Claim>> claim(const std::string& name,
                                                  const std::string& holder,
                                                  std::shared_ptr<Life> life) {
    const std::scoped_lock lock(mutex_);
    const auto [entry, claimed] =
        entries_.try_emplace(name, Entry{.holder = holder, .life = std::move(life)});
    if (claimed) return std::make_unique<Claim>(*this, entry);
    return std::unexpected(Error{.code = ErrorCode::conflict,
                                 .kind = "name_taken",
                                 .message = "the name \"" + name + "\" that \"" + holder +
                                            "\" wants is held by \"" + entry->second.holder + "\"",
                                 .hint = "stop one of them, or give one another name"});
  }

  mutable typename Sync::Mutex mutex_;  // guards what follows
  Entries entries_;
};

using ChildNames = BasicChildNames<>;

}  // namespace weir
