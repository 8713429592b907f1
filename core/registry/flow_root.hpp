/// Everything a registry holds at one moment.
///
/// Threads: a root that was published is never changed, and any number of threads may search it.
/// Only `unlinked`, which lists what is freed with the root, is written later, by the one writer
/// that published the next root.
///
/// Invariants:
/// - Both indexes lead to the same entries: the newest of each module (G3).
/// - No two slugs in the index by slug differ by case alone (D1).
/// - `formers` lists under a slug the versions that are found by fingerprint alone: newest first,
///   never empty, each fingerprint once, and not that of the newest.
/// - Consecutive roots share the shards in which they don't differ.
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "registry/flat_index.hpp"
#include "registry/flow_entry.hpp"

namespace weir {

/// Former versions of the flow that has, or had, a slug: newest first.
template <class Sync>
using FormerVersions = std::vector<FlowEntry<Sync>*>;

template <class Sync>
class FlowRoot {
 public:
  using Entry = FlowEntry<Sync>;
  using Formers = FormerVersions<Sync>;
  using Shard = FlatIndex<Entry>;

  /// What this root leads to and the next does not; freed with this root.
  struct Unlinked {
    std::vector<Shard> shards = {};
    std::vector<Entry*> entries = {};
    std::vector<const Formers*> formers = {};
    FlatIndex<const Formers> formers_index = {};
  };

  /// One shard for few flows, so that they are close in memory; for more flows as many as make the
  /// copy of the root and the copies of two shards cost about the same.
  static std::size_t shards_for(std::size_t flows) noexcept {
    if (flows <= one_shard_max) return 1;
    std::size_t shards = 1;
    while (shards * shards < 2 * flows) shards *= 2;
    return shards;
  }
  static constexpr std::size_t one_shard_max = 64;

  static FlowRoot* make(std::size_t shards) {
    WEIR_ASSERT(std::has_single_bit(shards));  // the mask chooses among them
    FlowRoot* root = made(shards);
    std::uninitialized_value_construct_n(root->first(), root->places());
    return root;
  }

  /// A new root, owned by the caller, that shares everything with this one.
  FlowRoot* copied() const {
    FlowRoot* copy = made(shards());
    std::memcpy(static_cast<void*>(copy->first()), first(), places() * sizeof(Shard));
    copy->formers_ = formers_;
    copy->flows_ = flows_;
    return copy;
  }

  /// Frees the root alone, without what it leads to.
  static void free(FlowRoot* root) noexcept {
    root->~FlowRoot();
    ::operator delete(root);
  }

  /// Frees a root that no reader uses any more, and what is in its `unlinked`.
  static void destroy(FlowRoot* root) noexcept {
    const Unlinked unlinked = std::move(root->unlinked);
    free(root);
    for (Shard shard : unlinked.shards) shard.free();
    for (const Formers* formers : unlinked.formers) delete formers;
    auto formers_index = unlinked.formers_index;
    formers_index.free();
    for (Entry* entry : unlinked.entries) Entry::retire(entry);
  }

  Entry* by_slug(std::string_view slug) const noexcept {
    const std::uint64_t hash = name_hash(slug);
    return shard(slug_place(hash)).find(slug, hash);
  }
  Entry* by_module(std::string_view module) const noexcept {
    const std::uint64_t hash = name_hash(module);
    return shard(module_place(hash)).find(module, hash);
  }
  /// The flow with that slug, ignoring case.
  Entry* by_slug_folded(std::string_view slug) const noexcept {
    const std::uint64_t hash = name_hash(slug);
    return shard(slug_place(hash)).find_folded(slug, hash);
  }

  const Formers* formers(std::string_view slug) const noexcept {
    return formers_.find(slug, name_hash(slug));
  }

  Entry* by_fingerprint(std::string_view slug, std::string_view fingerprint) const noexcept {
    Entry* newest = by_slug(slug);
    if (newest != nullptr && newest->module.definition.fingerprint() == fingerprint) return newest;
    if (const Formers* former = formers(slug))
      for (Entry* each : *former)
        if (each->module.definition.fingerprint() == fingerprint) return each;
    return nullptr;
  }

  std::size_t flows() const noexcept { return flows_; }
  std::size_t shards() const noexcept { return shard_mask_ + 1; }

  /// f(entry) for the newest of each module, in no order.
  template <class F>
  void for_each_flow(F&& f) const {
    for (std::size_t i = 0; i < shards(); ++i)
      shard(i).for_each([&](std::string_view, Entry& entry) { f(entry); });
  }

  // For code that builds a root: the shards by slug, then those by module. The bits of a hash that
  // choose a shard are none of those that choose a slot or are part of its mark.
  std::size_t places() const noexcept { return 2 * shards(); }
  std::size_t slug_place(std::uint64_t hash) const noexcept { return (hash >> 32U) & shard_mask_; }
  std::size_t module_place(std::uint64_t hash) const noexcept {
    return shards() + slug_place(hash);
  }
  Shard& shard(std::size_t place) noexcept { return first()[place]; }
  const Shard& shard(std::size_t place) const noexcept { return first()[place]; }
  FlatIndex<const Formers>& formers_index() noexcept { return formers_; }
  const FlatIndex<const Formers>& formers_index() const noexcept { return formers_; }
  void set_flows(std::size_t flows) noexcept { flows_ = flows; }

  /// Whether the first three invariants hold. For debug builds. Cost: a pass over all flows.
  bool is_consistent() const {
    std::size_t by_slugs = 0;
    bool sound = true;
    for_each_flow([&](const Entry& entry) {
      const std::string_view slug = entry.module.definition.slug().view();
      ++by_slugs;
      sound = sound && by_slug(slug) == &entry && by_slug_folded(slug) == &entry &&
              by_module(entry.module.definition.module().view()) == &entry;
    });
    std::size_t by_modules = 0;
    for (std::size_t i = shards(); i < places(); ++i) by_modules += shard(i).size();
    formers_.for_each([&](std::string_view slug, const Formers& formers) {
      const Entry* const newest = by_slug(slug);
      sound = sound && !formers.empty();
      for (const Entry* each : formers) {
        const auto has_its_fingerprint = [each](const Entry* other) {
          return other->module.definition.fingerprint() == each->module.definition.fingerprint();
        };
        sound = sound && each->module.definition.slug().view() == slug &&
                std::ranges::count_if(formers, has_its_fingerprint) == 1 &&
                (newest == nullptr || !has_its_fingerprint(newest));
      }
    });
    return sound && by_slugs == flows_ && by_modules == flows_;
  }

  Unlinked unlinked = {};

 private:
  explicit FlowRoot(std::size_t shards) : shard_mask_(shards - 1) {}

  static FlowRoot* made(std::size_t shards) {
    void* memory = ::operator new(sizeof(FlowRoot) + 2 * shards * sizeof(Shard));
    return new (memory) FlowRoot(shards);
  }

  // The shards follow this object in memory, which saves a lookup one load.
  Shard* first() noexcept { return reinterpret_cast<Shard*>(this + 1); }
  const Shard* first() const noexcept { return reinterpret_cast<const Shard*>(this + 1); }

  std::size_t shard_mask_;
  std::size_t flows_ = 0;
  FlatIndex<const Formers> formers_ = {};
};

}  // namespace weir
