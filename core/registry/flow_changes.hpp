#pragma once
#include <algorithm>
#include <cstddef>
#include <list>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/error.hpp"
#include "base/slug.hpp"
#include "registry/flat_index.hpp"
#include "registry/flow_change.hpp"
#include "registry/flow_root.hpp"
#include "registry/registration_faults.hpp"

namespace weir {

/// The changes that a transaction asks of a root: first all its steps, in order, then settle(),
/// which checks whether the result is allowed. Does not change the root; a FlowRootDraft builds the
/// next root from this.  [one thread, the writer's]
///
/// Lifetime: the names are views into entries, those of the root and those that were placed.
template <class Sync>
class FlowChanges {
 public:
  using Entry = FlowEntry<Sync>;
  using Root = FlowRoot<Sync>;
  using Formers = FormerVersions<Sync>;

  /// What becomes of the registration that a placement replaces.
  enum class Previous {
    removed,  ///< register_
    kept      ///< succeed: it stays under its fingerprint
  };

  /// The registration of a module before and after; null where there is none.
  struct Module {
    Entry* before;
    Entry* now;
  };
  /// The former versions under a slug, before (null: none) and after.
  struct Versions {
    std::string_view slug;
    const Formers* before;
    Formers now;
  };

  FlowChanges(const Root& root, std::size_t steps)
      : root_(root),
        by_module_(FlatIndex<Module>::with_room(steps, steps * name_bytes)),
        newcomers_(FlatIndex<Module>::with_room(steps, steps * name_bytes)) {
    modules_.reserve(steps);
  }

  /// The previous registration must be from the same path as `newcomer`, or from `moved_from`. An
  /// error changes nothing.
  Result<FlowChange> place(Entry& newcomer, Previous previous, std::string_view moved_from) {
    const Result<void> checked = check_module(newcomer.module);
    if (!checked) return std::unexpected(checked.error());
    Module& module = of_module(newcomer.module.definition.module().view());
    Entry* const held = module.now;
    if (held != nullptr) {
      if (same_registration(held->module, newcomer.module)) return FlowChange::unchanged;
      const std::string_view path = held->module.file.path;
      if (path != newcomer.module.file.path && (moved_from.empty() || path != moved_from))
        return std::unexpected(duplicate_module(newcomer.module, held->module));
    }
    module.now = &newcomer;
    if (held == nullptr) return FlowChange::added;
    const FlowDefinition& old = held->module.definition;
    const FlowDefinition& next = newcomer.module.definition;
    if (previous != Previous::kept ||
        (old.slug() == next.slug() && old.fingerprint() == next.fingerprint()))
      return FlowChange::replaced;
    Formers& formers = of_slug(old.slug().view()).now;
    forget(formers, old.fingerprint());
    formers.insert(formers.begin(), held);
    return FlowChange::succeeded;
  }

  /// Removes a module with all its versions.
  FlowChange remove(std::string_view module) {
    const auto is_of_it = [&](const Entry* each) {
      return each->module.definition.module().view() == module;
    };
    bool any = false;
    if (Module* touched = touched_module(module)) {
      any = std::exchange(touched->now, nullptr) != nullptr;
    } else if (root_.by_module(module) != nullptr) {
      of_module(module).now = nullptr;
      any = true;
    }
    // Versions may be under slugs that the module had before, so all slugs are searched.
    root_.formers_index().for_each([&](std::string_view slug, const Formers& formers) {
      if (std::ranges::any_of(formers, is_of_it)) of_slug(slug);
    });
    for (Versions& versions : versions_)
      if (std::erase_if(versions.now, is_of_it) != 0) any = true;
    return any ? FlowChange::removed : FlowChange::unchanged;
  }

  /// Removes a former version.
  FlowChange retire(std::string_view slug, std::string_view fingerprint) {
    if (touched_slug(slug) == nullptr && root_.formers(slug) == nullptr)
      return FlowChange::unchanged;
    return forget(of_slug(slug).now, fingerprint) ? FlowChange::removed : FlowChange::unchanged;
  }

  /// Checks the result. Errors: duplicate_slug, the first one; as the holder it names the module that
  /// kept the slug, or the one that asked for it first. `collided` is given all newcomers that
  /// collide.
  Result<void> settle(std::vector<const Entry*>& collided) {
    Result<void> settled;
    const auto collides = [&](const Module& module, const Entry& holder) {
      if (collided.empty())
        settled = std::unexpected(duplicate_slug(module.now->module, holder.module));
      collided.push_back(module.now);
    };
    for (Module& module : modules_) {
      if (module.now == nullptr || module.now == module.before) continue;
      const std::string_view slug = slug_of(*module.now);
      const std::uint64_t hash = name_hash(slug);
      if (const Entry* holder = remaining_holder_of(slug, module)) {
        collides(module, *holder);
      } else if (const Module* other = newcomers_.find_folded(slug, hash)) {
        collides(module, *other->now);
      } else {
        newcomers_.put(slug, hash, &module);
        if (root_.formers(slug) != nullptr) of_slug(slug);
      }
    }
    if (!settled) return settled;
    for (Versions& versions : versions_)
      if (const Entry* newest = newest_of(versions.slug))
        forget(versions.now, newest->module.definition.fingerprint());
    return {};
  }

  const std::vector<Module>& modules() const noexcept { return modules_; }
  const std::list<Versions>& versions() const noexcept { return versions_; }

  /// The former versions of one slug; null when no step touched them.
  const Versions* versions_of(std::string_view slug) const { return touched_slug(slug); }

  /// By how much the number of flows grows; negative when it shrinks.
  std::ptrdiff_t growth() const noexcept {
    std::ptrdiff_t more = 0;
    for (const Module& module : modules_)
      more += (module.now != nullptr ? 1 : 0) - (module.before != nullptr ? 1 : 0);
    return more;
  }

 private:
  static std::string_view slug_of(const Entry& entry) {
    return entry.module.definition.slug().view();
  }
  static std::string_view module_of(const Entry& entry) {
    return entry.module.definition.module().view();
  }

  static bool forget(Formers& formers, std::string_view fingerprint) {
    return std::erase_if(formers, [&](const Entry* each) {
             return each->module.definition.fingerprint() == fingerprint;
           }) != 0;
  }

  Module* touched_module(std::string_view module) const {
    return by_module_.find(module, name_hash(module));
  }
  Module& of_module(std::string_view module) {
    const std::uint64_t hash = name_hash(module);
    if (Module* touched = by_module_.find(module, hash)) return *touched;
    Entry* held = root_.by_module(module);
    WEIR_ASSERT(modules_.size() < modules_.capacity());  // one per step
    modules_.push_back({.before = held, .now = held});
    by_module_.put(module, hash, &modules_.back());
    return modules_.back();
  }

  Versions* touched_slug(std::string_view slug) const {
    return by_slug_.find(slug, name_hash(slug));
  }
  Versions& of_slug(std::string_view slug) {
    const std::uint64_t hash = name_hash(slug);
    if (Versions* touched = by_slug_.find(slug, hash)) return *touched;
    const Formers* formers = root_.formers(slug);
    versions_.push_back(
        {.slug = slug, .before = formers, .now = formers != nullptr ? *formers : Formers()});
    by_slug_.put(slug, hash, &versions_.back());
    return versions_.back();
  }

  // The entry of another module that has that slug now, in any case, and keeps it; null if none.
  const Entry* remaining_holder_of(std::string_view slug, const Module& claimant) const {
    const Entry* holder = root_.by_slug_folded(slug);
    if (holder == nullptr || holder == claimant.before) return nullptr;
    const Module* touched = touched_module(module_of(*holder));
    if (touched == nullptr) return holder;
    const Entry* then = touched->now;
    return then != nullptr && folded(slug_of(*then)) == folded(slug) ? then : nullptr;
  }

  // The entry that has exactly that slug in the result; null if none.
  const Entry* newest_of(std::string_view slug) const {
    if (const Module* newcomer = newcomers_.find(slug, name_hash(slug))) return newcomer->now;
    const Entry* holder = root_.by_slug(slug);
    if (holder == nullptr) return nullptr;
    const Module* touched = touched_module(module_of(*holder));
    return touched == nullptr || touched->now == holder ? holder : nullptr;
  }

  static constexpr std::size_t name_bytes = 32;  // most names are shorter

  const Root& root_;
  std::vector<Module> modules_;   // reserved, so that its elements do not move
  std::list<Versions> versions_;  // its elements do not move; costs nothing while empty
  ScopedFlatIndex<Module> by_module_;
  ScopedFlatIndex<Versions> by_slug_;
  ScopedFlatIndex<Module> newcomers_;  // by their new slugs
};

}  // namespace weir
