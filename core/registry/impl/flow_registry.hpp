// The member functions of BasicFlowRegistry, for code that instantiates it with its own Sync.
#pragma once
#include <algorithm>
#include <map>
#include <tuple>

#include "base/assert.hpp"
#include "registry/flow_registry.hpp"
#include "registry/flow_root_draft.hpp"

namespace weir {

template <class Sync>
BasicFlowRegistry<Sync>::BasicFlowRegistry(std::size_t stripes)
    : root_(Root::make(1)), pins_(stripes) {}

template <class Sync>
BasicFlowRegistry<Sync>::~BasicFlowRegistry() {
  Root* const last = root_.load(std::memory_order_relaxed);
  typename Root::Unlinked all;
  last->for_each_flow([&](Entry& entry) { all.entries.push_back(&entry); });
  last->formers_index().for_each([&](std::string_view, const FormerVersions<Sync>& formers) {
    all.entries.insert(all.entries.end(), formers.begin(), formers.end());
    all.formers.push_back(&formers);
  });
  for (std::size_t i = 0; i < last->places(); ++i) all.shards.push_back(last->shard(i));
  all.formers_index = last->formers_index();
  last->unlinked = std::move(all);
  epochs_->sweep();  // no section is open, so this frees all, though a ticket may keep the epochs
  Root::destroy(last);
}

template <class Sync>
Result<FlowChange> BasicFlowRegistry<Sync>::register_(FlowModule module, UnloadTicket* unload) {
  Transaction transaction = begin();
  transaction.register_(std::move(module));
  Result<Committed> committed = transaction.commit();
  if (!committed) return std::unexpected(std::move(committed).error());
  if (unload != nullptr) *unload = std::move(committed->unload);
  return committed->changes.front();
}

template <class Sync>
FlowChange BasicFlowRegistry<Sync>::register_or_throw(FlowModule module, UnloadTicket* unload) {
  Result<Change> change = register_(std::move(module), unload);
  if (!change) throw RegistrationError(std::move(change).error());
  return *change;
}

template <class Sync>
bool BasicFlowRegistry<Sync>::unregister(const ModuleName& module, UnloadTicket* unload) {
  Transaction transaction = begin();
  transaction.unregister(module);
  Result<Committed> committed = transaction.commit();
  WEIR_ASSERT(committed.has_value());  // a removal cannot collide
  if (unload != nullptr) *unload = std::move(committed->unload);
  return committed->changes.front() == Change::removed;
}

template <class Sync>
std::vector<std::string> BasicFlowRegistry<Sync>::names(const Root& root, bool slugs,
                                                        bool modules) {
  std::vector<std::string> all;
  root.for_each_flow([&](const Entry& entry) {
    if (slugs) all.push_back(entry.module.definition.slug().string());
    if (modules) all.push_back(entry.module.definition.module().string());
  });
  std::ranges::sort(all);  // so that of equally near names always the same one is suggested
  return all;
}

template <class Sync>
Error BasicFlowRegistry<Sync>::unknown(const ModuleName& module) const {
  return unknown_flow("is registered as module", module.view(),
                      names(Section(*this).root_, false, true));
}

template <class Sync>
Error BasicFlowRegistry<Sync>::unknown(const Slug& slug) const {
  return unknown_flow("has the slug", slug.view(), names(Section(*this).root_, true, false));
}

template <class Sync>
auto BasicFlowRegistry<Sync>::get(const Slug& slug, std::string_view fingerprint) const
    -> Result<Handle> {
  const Section section(*this);
  if (Handle found = held(section.root_.by_fingerprint(slug.view(), fingerprint))) return found;
  const std::vector<Handle> all = versions(slug);
  if (all.empty()) return std::unexpected(unknown(slug));
  std::vector<std::string> fingerprints;
  for (const Handle& each : all) fingerprints.push_back(each->definition.fingerprint());
  return std::unexpected(unknown_version(slug.view(), fingerprint, fingerprints));
}

template <class Sync>
auto BasicFlowRegistry<Sync>::find(std::string_view name) const -> Result<Handle> {
  const Section section(*this);
  if (Handle found = held(section.root_.by_slug(name))) return found;
  if (Handle found = held(section.root_.by_module(name))) return found;
  return std::unexpected(
      unknown_flow("has the slug or module name", name, names(section.root_, true, true)));
}

template <class Sync>
auto BasicFlowRegistry<Sync>::list() const -> std::vector<Handle> {
  std::vector<Handle> flows;
  {
    const Section section(*this);
    flows.reserve(section.size());
    section.root_.for_each_flow([&](Entry& entry) { flows.push_back(Handle(entry)); });
  }
  std::ranges::sort(flows, {}, [](const Handle& each) { return each->definition.slug().view(); });
  return flows;
}

template <class Sync>
auto BasicFlowRegistry<Sync>::versions(const Slug& slug) const -> std::vector<Handle> {
  const Section section(*this);
  std::vector<Handle> all;
  if (Entry* newest = section.find(slug)) all.push_back(Handle(*newest));
  if (const auto* formers = section.root_.formers(slug.view()))
    for (Entry* each : *formers) all.push_back(Handle(*each));
  return all;
}

template <class Sync>
auto BasicFlowRegistry<Sync>::versions() const -> std::vector<Version> {
  std::multimap<std::string_view, Version> by_slug;  // equal keys keep their insertion order
  const auto add = [&](Entry& entry, bool newest) {
    by_slug.emplace(entry.module.definition.slug().view(), Version{Handle(entry), newest});
  };
  {
    const Section section(*this);
    section.root_.for_each_flow([&](Entry& entry) { add(entry, true); });
    section.root_.formers_index().for_each([&](std::string_view, const auto& formers) {
      for (Entry* each : formers) add(*each, false);
    });
  }
  std::vector<Version> all;
  all.reserve(by_slug.size());
  for (auto& [slug, version] : by_slug) all.push_back(std::move(version));
  return all;
}

template <class Sync>
std::size_t BasicFlowRegistry<Sync>::size() const {
  return Section(*this).size();
}

template <class Sync>
Result<FlowChange> BasicFlowRegistry<Sync>::Transaction::apply(const Step& step, Changes& changes) {
  if (const auto* placement = std::get_if<Placement>(&step))
    return changes.place(*placement->entry, placement->previous, placement->moved_from);
  if (const auto* retirement = std::get_if<Retirement>(&step))
    return changes.retire(retirement->slug.view(), retirement->fingerprint);
  return changes.remove(std::get<ModuleName>(step).view());
}

template <class Sync>
auto BasicFlowRegistry<Sync>::Transaction::commit() -> Result<Committed> {
  std::vector<Step> steps = std::exchange(steps_, {});  // destroyed after the lock is released
  Committed committed;
  Root* base = nullptr;
  typename Root::Unlinked unlinked;
  {
    const std::scoped_lock lock(registry_->writer_mutex_);
    base = registry_->root_.load(std::memory_order_relaxed);  // only the lock's holder writes it
    Changes changes(*base, steps.size());
    collided_.clear();
    Result<void> allowed;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Result<Change> change = apply(steps[i], changes);
      if (change) {
        committed.changes.push_back(*change);
      } else {
        if (collided_.empty()) allowed = std::unexpected(change.error());
        collided_.push_back(i);
      }
    }
    if (!allowed) return std::unexpected(allowed.error());
    if (std::ranges::count(committed.changes, Change::unchanged) == std::ssize(steps))
      return committed;
    std::vector<const Entry*> collided;
    if (const Result<void> settled = changes.settle(collided); !settled) {
      for (std::size_t i = 0; i < steps.size(); ++i)
        if (const auto* placement = std::get_if<Placement>(&steps[i]))
          if (std::ranges::find(collided, placement->entry.get()) != collided.end())
            collided_.push_back(i);
      return std::unexpected(settled.error());
    }
    FlowRootDraft<Sync> draft(*base);
    draft.build(changes, registry_->pins_);
    // An entry that can be found belongs to its finders: it may be destroyed before this returns.
    for (Step& step : steps)
      if (auto* placement = std::get_if<Placement>(&step))
        if (placement->entry->pins.claimed()) static_cast<void>(placement->entry.release());
    Root* next = nullptr;
    std::tie(next, unlinked) = draft.release();
    // Release: a thread that loads the root sees it complete. Both keys, and every step, are in
    // this one store.
    registry_->root_.store(next, std::memory_order_release);
  }
  committed.unload = registry_->retire_root(base, std::move(unlinked));
  return committed;
}

template <class Sync>
auto BasicFlowRegistry<Sync>::retire_root(Root* base, typename Root::Unlinked unlinked)
    -> UnloadTicket {
  std::shared_ptr<Unload<Sync>> unload;
  if (!unlinked.entries.empty()) unload = std::make_shared<Unload<Sync>>(unlinked.entries.size());
  bool holds_code = false;
  for (Entry* entry : unlinked.entries) {
    entry->unload = unload;
    holds_code = holds_code || entry->module.code != nullptr;
  }
  base->unlinked = std::move(unlinked);
  epochs_->retire(base, [](void* root) noexcept { Root::destroy(static_cast<Root*>(root)); });
  // Memory may wait until a batch is full. A library should not, and is worth a membarrier.
  if (holds_code) epochs_->sweep();
  return unload ? UnloadTicket(std::move(unload), epochs_) : UnloadTicket();
}

}  // namespace weir
