/// Threads: every member of FlowRegistry may be called from any thread. A Transaction is one
/// thread's own. Readers copy the pointer to an immutable table under a mutex that is held for that
/// copy alone, and look things up in what they got; they never wait for a registration at work.
/// Writers stand in line on a second mutex, build the next table beside the old one, and publish it
/// with one store.
///
/// Invariants: a published table is never changed, and keeps what FlowTable promises of it: both
/// keys lead to the same modules (G3), no two slugs differ by case alone (D1). What goes is freed
/// with no lock held.
#pragma once
#include <memory>
#include <mutex>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/slug.hpp"
#include "registry/flow_handle.hpp"
#include "registry/registration_error.hpp"

namespace weir {

class FlowTable;

/// The flows a program can run, by module name and by slug.
///
/// One module has one slug and one file. The same module from another file is a collision, as is
/// another module with the same slug in any case; an update is the same module from the same path.
class FlowRegistry {
 public:
  FlowRegistry();
  ~FlowRegistry();
  FlowRegistry(const FlowRegistry&) = delete;
  FlowRegistry& operator=(const FlowRegistry&) = delete;

  /// What became of one change.
  enum class Change {
    added,      ///< the module was not there
    replaced,   ///< both keys lead to the new one now; a slug it no longer has leads nowhere
    unchanged,  ///< the same definition from the same file was there; or nothing to remove was
    removed,    ///< it is gone under both keys
  };

  class Transaction;

  /// Puts a flow in the table under both keys, or leaves everything as it is (G1, G4). The same
  /// definition from the same path and sha256 is no change, and handles to the first stay the
  /// current ones (D7).
  ///
  /// Errors: conflict, kinds duplicate_module and duplicate_slug, naming the holder with its file
  /// and sha256; invalid_definition, kind invalid_flow_module, for a module whose steps lack code.
  Result<Change> register_(FlowModule module);

  /// As register_, throwing RegistrationError.
  Change register_or_throw(FlowModule module);

  /// Takes a flow out under both keys. False when there was none: calling it again does no harm
  /// (G2).
  bool unregister(const ModuleName& module);

  /// The flow of exactly that name. Errors: not_found, kind unknown_flow, hinting at the nearest
  /// name.
  Result<FlowHandle> get(const ModuleName& module) const;
  Result<FlowHandle> get(const Slug& slug) const;

  /// As get, for a name a person typed: a slug, or else a module name.
  Result<FlowHandle> find(std::string_view name) const;

  /// Everything that is registered at one moment, ordered by slug, bytewise.
  std::vector<FlowHandle> list() const;

  /// Starts a transaction, which must not outlive the registry.
  Transaction begin();

 private:
  std::shared_ptr<const FlowTable> current() const;
  void publish(std::shared_ptr<const FlowTable> next);

  mutable std::mutex current_mutex_;  // guards the pointer, never more than a copy or a swap of it
  std::shared_ptr<const FlowTable> current_;
  std::mutex
      writer_mutex_;  // held from reading the table a commit builds on until the next is published
};

/// Changes to be made as one: readers see all of them or none (G3). They are judged at commit,
/// against the table as it is then, so nothing that others registered meanwhile is lost; and by
/// their outcome, so two modules may swap their slugs.  [one thread]
class FlowRegistry::Transaction {
 public:
  /// As FlowRegistry::register_, once committed.
  void register_(FlowModule module);

  /// As register_, also taking the module over from another file.
  void replace(FlowModule module);

  /// As FlowRegistry::unregister, once committed.
  void unregister(ModuleName module);

  /// Publishes everything in one store and says what became of each change, in the order they were
  /// asked for. Errors: as register_, the first there is; then nothing was changed. The transaction
  /// is empty afterwards either way. One that is dropped without commit changes nothing.
  Result<std::vector<Change>> commit();

 private:
  friend class FlowRegistry;
  explicit Transaction(FlowRegistry& registry) : registry_(&registry) {}

  struct Placement {
    FlowHandle module;
    bool from_any_file;
  };
  using Step = std::variant<Placement, ModuleName>;  // a name alone: to be removed

  FlowRegistry* registry_;
  std::vector<Step> steps_;
};

}  // namespace weir
