/// Threads: every member of FlowRegistry may be called from any thread. A Transaction and a Section
/// belong to one thread. Readers never wait and write nothing that another thread reads often: a
/// lookup is a read section around an immutable root. Writers take turns on a mutex, build the next
/// root beside the one that is read, sharing the shards in which they don't differ, and publish it
/// with one store; they never wait for readers.
///
/// Invariants: a published root is never changed, and keeps the invariants of FlowRoot: both keys
/// lead to the same modules (G3), no two slugs differ by case alone (D1). What a commit removed is
/// destroyed when, in this order, no root leads to it, every reader that could have found it has
/// left its section, and the last handle was dropped. No module is destroyed under a lock of the
/// registry. `root_` is stored with release by commit() and loaded with acquire by Section.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weir/registry/epochs.hpp>
#include <weir/sync.hpp>

#include "base/error.hpp"
#include "base/slug.hpp"
#include "registry/flow_change.hpp"
#include "registry/flow_changes.hpp"
#include "registry/flow_handle.hpp"
#include "registry/flow_root.hpp"
#include "registry/pins.hpp"
#include "registry/registration_error.hpp"
#include "registry/unload_ticket.hpp"

namespace weir {

/// The flows a program can run, by module name and by slug, and by fingerprint where several
/// versions of one are registered side by side.
///
/// One module has one slug and one file. The same module from another file is a collision, as is
/// another module with the same slug in any case; an update is the same module from the same path,
/// or from the one that Transaction::succeed is told.
///
/// A lookup finds the *newest* registration of a flow. Transaction::succeed puts a new one beside
/// the old: the old is then a *former version*, found by its slug and fingerprint until it is
/// retired (V2). A slug and a fingerprint lead to one registration, the newest that has both.
///
/// Figures are for two cores at 2 GHz and 20-byte names that are in the cache.
template <class Sync = StdSync>
class BasicFlowRegistry {
 public:
  using Change = FlowChange;
  using Handle = BasicFlowHandle<Sync>;
  using UnloadTicket = BasicUnloadTicket<Sync>;

  /// `stripes`: the number of counts that a flow's holders are spread over, a power of two up to
  /// 64.
  explicit BasicFlowRegistry(std::size_t stripes = PinPool<Sync>::stripes_for_this_machine());

  /// No other member may be running, and no section open. Handles and tickets may outlive it.
  ~BasicFlowRegistry();
  BasicFlowRegistry(const BasicFlowRegistry&) = delete;
  BasicFlowRegistry& operator=(const BasicFlowRegistry&) = delete;

  class Transaction;

  /// What a commit did.
  struct Committed {
    std::vector<Change> changes;  ///< in the order they were asked for
    UnloadTicket unload;          ///< ready when what it removed or replaced has been destroyed
  };

  /// Registers a flow under both keys, or leaves everything as it is (G1, G4). The same definition
  /// from the same path and sha256 is no change, and handles to the first stay current (D7).
  /// `unload`, where given, is assigned the ticket of what was replaced.
  ///
  /// Errors: conflict, kinds duplicate_module and duplicate_slug, naming the holder with its file
  /// and sha256; invalid_definition, kind invalid_flow_module, for a module whose steps lack code.
  /// Cost: as Transaction::commit.
  Result<Change> register_(FlowModule module, UnloadTicket* unload = nullptr);

  /// As register_, but throws RegistrationError.
  Change register_or_throw(FlowModule module, UnloadTicket* unload = nullptr);

  /// Removes a flow under both keys, with all its former versions. False when it was not
  /// registered: calling it again does no harm (G2). `unload` as for register_.
  bool unregister(const ModuleName& module, UnloadTicket* unload = nullptr);

  /// Holds the newest flow of exactly that name. Never waits. Errors: not_found, kind unknown_flow,
  /// with a hint at the nearest name, for which all names are compared.
  /// Cost: a read and one RMW, about 20 ns, not more when many threads get the same flow.
  Result<Handle> get(const ModuleName& module) const {
    if (Handle found = held(Section(*this).find(module))) return found;
    return std::unexpected(unknown(module));
  }
  Result<Handle> get(const Slug& slug) const {
    if (Handle found = held(Section(*this).find(slug))) return found;
    return std::unexpected(unknown(slug));
  }

  /// Holds the version of a flow that has this fingerprint (64 hex digits), the newest or a former
  /// one. Errors: not_found, kinds unknown_flow and unknown_version.
  Result<Handle> get(const Slug& slug, std::string_view fingerprint) const;

  /// As get, for a name that a person typed: a slug, or else a module name.
  Result<Handle> find(std::string_view name) const;

  class Section;

  /// Calls f(const FlowModule&) on the newest flow of exactly that name, without holding it; false,
  /// and no call, when there is none. Never waits. f must not keep the reference and should be
  /// short: while it runs, nothing that a commit removes is freed. It may call the registry.
  /// Cost: about 10 ns, and no write that another thread waits for.
  template <class F>
  bool read(const ModuleName& module, F&& f) const {
    return Section(*this).read(module, std::forward<F>(f));
  }
  template <class F>
  bool read(const Slug& slug, F&& f) const {
    return Section(*this).read(slug, std::forward<F>(f));
  }

  /// The newest version of every flow registered at one moment, ordered by slug, bytewise.
  std::vector<Handle> list() const;

  /// All versions of a flow that are registered at one moment, newest first; empty when none is.
  /// The first one is a former version when the slug has no newest (its module took another slug).
  std::vector<Handle> versions(const Slug& slug) const;

  struct Version {
    Handle flow;
    bool newest;  ///< get() found it by its slug at that moment
  };

  /// All versions of all flows at one moment, ordered by slug, those of a slug newest first. The
  /// first of a slug may be a former version.
  std::vector<Version> versions() const;

  /// The number of registered flows, without former versions.
  std::size_t size() const;

  /// Starts a transaction, which must not outlive the registry.
  Transaction begin() { return Transaction(*this); }

 private:
  using Entry = FlowEntry<Sync>;
  using Root = FlowRoot<Sync>;
  using Changes = FlowChanges<Sync>;

  // Only within the section in which `found` was found.
  static Handle held(Entry* found) { return found != nullptr ? Handle(*found) : Handle(); }
  static std::vector<std::string> names(const Root& root, bool slugs, bool modules);
  Error unknown(const ModuleName& module) const;
  Error unknown(const Slug& slug) const;

  UnloadTicket retire_root(Root* base, typename Root::Unlinked unlinked);

  typename Sync::template Atomic<Root*> root_;
  // Shared with tickets, which may outlive the registry.
  const std::shared_ptr<Epochs<Sync>> epochs_ = std::make_shared<Epochs<Sync>>();
  // Held from reading the root to build on until the next one is published; guards pins_.
  typename Sync::Mutex writer_mutex_;
  PinPool<Sync> pins_;
};

/// A read section: all lookups in it see one moment (G3), and what they find stays valid until the
/// section ends, without being held. Sections may nest. Keep them short, and never wait inside one:
/// nothing that a commit removes is freed meanwhile.  [one thread]
template <class Sync>
class BasicFlowRegistry<Sync>::Section {
 public:
  explicit Section(const BasicFlowRegistry& registry)
      : section_(*registry.epochs_), root_(*registry.root_.load(std::memory_order_acquire)) {}

  /// The newest flow of exactly that name; null when there is none. Cost: about 5 ns.
  const FlowModule* flow(const Slug& slug) const noexcept { return module_of(find(slug)); }
  const FlowModule* flow(const ModuleName& module) const noexcept {
    return module_of(find(module));
  }

  /// The number of flows.
  std::size_t size() const noexcept { return root_.flows(); }

  template <class Name, class F>
  bool read(const Name& name, F&& f) const {
    const FlowModule* found = flow(name);
    if (found != nullptr) std::forward<F>(f)(*found);
    return found != nullptr;
  }

 private:
  friend class BasicFlowRegistry;

  static const FlowModule* module_of(Entry* entry) noexcept {
    return entry != nullptr ? &entry->module : nullptr;
  }
  Entry* find(const Slug& slug) const noexcept { return root_.by_slug(slug.view()); }
  Entry* find(const ModuleName& module) const noexcept { return root_.by_module(module.view()); }

  typename Epochs<Sync>::Section section_;
  const Root& root_;
};

/// Changes that are made as one: readers see all of them or none (G3). They are checked at commit,
/// against the registry as it is then, so nothing that others registered meanwhile is lost; and
/// only their joint result is checked, so two modules may swap their slugs.  [one thread]
template <class Sync>
class BasicFlowRegistry<Sync>::Transaction {
 public:
  /// As FlowRegistry::register_, once committed.
  void register_(FlowModule module) { place(std::move(module), Changes::Previous::removed, {}); }

  /// As register_; but the previous version, if it has another fingerprint or slug, stays as the
  /// first of the former versions under its slug. It may be from the path `moved_from`, of a file
  /// that has the module no longer: it is gone, or has other flows now.
  void succeed(FlowModule module, std::string moved_from = {}) {
    place(std::move(module), Changes::Previous::kept, std::move(moved_from));
  }

  /// Removes a former version, once committed; no change when there is none, or when the newest
  /// version has that fingerprint.
  void retire(Slug slug, std::string fingerprint) {
    steps_.emplace_back(Retirement{std::move(slug), std::move(fingerprint)});
  }

  /// As FlowRegistry::unregister, once committed.
  void unregister(ModuleName module) { steps_.emplace_back(std::move(module)); }

  /// Publishes all changes in one store and reports the effect of each. Errors: as register_, the
  /// first one found; then nothing was changed. The transaction is empty afterwards either way. A
  /// transaction that is destroyed without a commit changes nothing.
  ///
  /// Cost: waits only for other writers. One change: 1 to 3 µs at 1,000 flows, up to 10 µs at
  /// 100,000; 1,000 registrations: under 1 ms. Removing a flow that holds code (FlowModule::code)
  /// sweeps at once, which costs one more membarrier (about 5 µs) and may unload code on this
  /// thread.
  Result<Committed> commit();

  /// After a commit that failed: which of its changes collided, by the order in which they were
  /// asked for. Without these it may succeed; or others, which the rest of these kept from it,
  /// collide then.
  const std::vector<std::size_t>& collided() const noexcept { return collided_; }

 private:
  friend class BasicFlowRegistry;
  explicit Transaction(BasicFlowRegistry& registry) : registry_(&registry) {}

  struct Placement {
    std::unique_ptr<Entry> entry;
    typename Changes::Previous previous;
    std::string moved_from;
  };
  struct Retirement {
    Slug slug;
    std::string fingerprint;
  };
  using Step = std::variant<Placement, Retirement, ModuleName>;  // a bare name: a removal

  void place(FlowModule module, typename Changes::Previous previous, std::string moved_from) {
    auto entry = std::make_unique<Entry>(std::move(module));
    steps_.emplace_back(std::in_place_type<Placement>, std::move(entry), previous,
                        std::move(moved_from));
  }
  static Result<Change> apply(const Step& step, Changes& changes);

  BasicFlowRegistry* registry_;
  std::vector<Step> steps_;
  std::vector<std::size_t> collided_;
};

using FlowRegistry = BasicFlowRegistry<StdSync>;

extern template class BasicFlowRegistry<StdSync>;

}  // namespace weir
