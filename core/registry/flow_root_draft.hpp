#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "registry/flow_changes.hpp"
#include "registry/flow_root.hpp"
#include "registry/pins.hpp"

namespace weir {

/// Builds the root that follows another. Copies the shards in which they differ, once each, and
/// shares the rest. Destroyed without release(), it frees what it made and leaves the base as it
/// was.  [one thread, the writer's]
///
/// Cost: see shards_for(), while the number of flows stays near what it was; when it has quadrupled
/// or fallen to a sixteenth, one pass over all flows.
template <class Sync>
class FlowRootDraft {
 public:
  using Entry = FlowEntry<Sync>;
  using Root = FlowRoot<Sync>;
  using Unlinked = typename Root::Unlinked;
  using Changes = FlowChanges<Sync>;

  explicit FlowRootDraft(const Root& base) : base_(base) {}
  FlowRootDraft(const FlowRootDraft&) = delete;
  FlowRootDraft& operator=(const FlowRootDraft&) = delete;

  ~FlowRootDraft() {
    if (next_ == nullptr) return;
    for (std::size_t i = 0; i < next_->places(); ++i)
      if (is_own(i)) next_->shard(i).free();
    for (const Formers* formers : made_formers_) delete formers;
    if (next_->formers_index() != base_.formers_index()) next_->formers_index().free();
    Root::free(next_);
  }

  /// Builds the root; call it once. Entries that become reachable for the first time get their
  /// counts.
  void build(const Changes& changes, PinPool<Sync>& pins) {
    WEIR_ASSERT(next_ == nullptr);
    const auto flows =
        static_cast<std::size_t>(static_cast<std::ptrdiff_t>(base_.flows()) + changes.growth());
    begin(flows);
    // Removals first, as a slug may move from one module to another.
    for (const auto& [before, now] : changes.modules()) {
      if (before == nullptr || before == now) continue;
      if (now == nullptr) erase(Key::module, module_of(*before));
      if (now == nullptr || slug_of(*before) != slug_of(*now)) erase(Key::slug, slug_of(*before));
      if (!stays(*before, changes)) unlinked_.entries.push_back(before);
    }
    for (const auto& [before, now] : changes.modules()) {
      if (now == nullptr || before == now) continue;
      pins.claim(now->pins);
      put(Key::module, module_of(*now), *now);
      put(Key::slug, slug_of(*now), *now);
    }
    for (const auto& versions : changes.versions()) keep(versions, pins);
    next_->set_flows(flows);
  }

  /// What the base leads to and the next does not.
  const Unlinked& unlinked() const noexcept { return unlinked_; }

  /// Hands over the next root, and what must be freed with the base.
  std::pair<Root*, Unlinked> release() noexcept {
    WEIR_ASSERT(next_ != nullptr);
    // Only of few flows: it is a pass over all.
    WEIR_DEBUG_ASSERT(next_->flows() > Root::one_shard_max || next_->is_consistent());
    made_formers_.clear();
    return {std::exchange(next_, nullptr), std::move(unlinked_)};
  }

 private:
  using Shard = typename Root::Shard;
  using Formers = FormerVersions<Sync>;
  enum class Key { slug, module };

  static std::string_view slug_of(const Entry& entry) {
    return entry.module.definition.slug().view();
  }
  static std::string_view module_of(const Entry& entry) {
    return entry.module.definition.module().view();
  }

  // Whether an entry that was the newest stays as a former version.
  static bool stays(const Entry& entry, const Changes& changes) {
    const auto* versions = changes.versions_of(slug_of(entry));
    return versions != nullptr && std::ranges::count(versions->now, &entry) != 0;
  }

  bool is_own(std::size_t place) const {
    return resharded_ || next_->shard(place) != base_.shard(place);
  }

  void begin(std::size_t flows) {
    const std::size_t wanted = Root::shards_for(flows);
    // Fewer only when there are far too many, so that adding and removing flows in turn does not
    // rebuild everything each time.
    resharded_ = wanted > base_.shards() || wanted * 4 <= base_.shards();
    if (!resharded_) {
      next_ = base_.copied();
      return;
    }
    next_ = Root::make(wanted);
    next_->formers_index() = base_.formers_index();
    const std::size_t in_each = flows / wanted + 1;
    for (std::size_t i = 0; i < next_->places(); ++i)
      next_->shard(i) = Shard::with_room(in_each, in_each * name_bytes);
    base_.for_each_flow([&](Entry& entry) {
      put(Key::module, module_of(entry), entry);
      put(Key::slug, slug_of(entry), entry);
    });
    for (std::size_t i = 0; i < base_.places(); ++i) unlinked_.shards.push_back(base_.shard(i));
  }

  // The shard of next_ for that name, copied first if it is shared with the base.
  Shard& own(Key key, std::uint64_t hash, std::size_t more_key_bytes) {
    const std::size_t place =
        key == Key::slug ? next_->slug_place(hash) : next_->module_place(hash);
    Shard& shard = next_->shard(place);
    if (!is_own(place)) {
      unlinked_.shards.push_back(shard);
      shard = shard.copied(more_key_bytes);
    }
    return shard;
  }
  void put(Key key, std::string_view name, Entry& entry) {
    const std::uint64_t hash = name_hash(name);
    own(key, hash, name.size()).put(name, hash, &entry);
  }
  // A name that the base leads to.
  void erase(Key key, std::string_view name) {
    const std::uint64_t hash = name_hash(name);
    const bool erased = own(key, hash, 0).erase(name, hash);
    WEIR_ASSERT(erased);
  }

  void keep(const typename Changes::Versions& versions, PinPool<Sync>& pins) {
    if (versions.before == nullptr ? versions.now.empty() : *versions.before == versions.now)
      return;
    FlatIndex<const Formers>& index = next_->formers_index();
    if (index == base_.formers_index()) {
      unlinked_.formers_index = index;
      index = index.copied(versions.slug.size());
    }
    const std::uint64_t hash = name_hash(versions.slug);
    if (versions.now.empty()) {
      const bool erased = index.erase(versions.slug, hash);
      WEIR_ASSERT(erased);
    } else {
      made_formers_.push_back(new Formers(versions.now));
      index.put(versions.slug, hash, made_formers_.back());
    }
    for (Entry* entry : versions.now)
      if (!entry->pins.claimed()) pins.claim(entry->pins);
    if (versions.before == nullptr) return;
    unlinked_.formers.push_back(versions.before);
    for (Entry* entry : *versions.before)
      if (std::ranges::count(versions.now, entry) == 0) unlinked_.entries.push_back(entry);
  }

  static constexpr std::size_t name_bytes = 32;  // most names are shorter

  const Root& base_;
  Root* next_ = nullptr;
  bool resharded_ = false;  // no shard of next_ is shared with the base
  std::vector<const Formers*> made_formers_ = {};
  Unlinked unlinked_ = {};
};

}  // namespace weir
