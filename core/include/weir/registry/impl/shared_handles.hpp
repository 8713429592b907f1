#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <weir/registry/impl/shared_handles_core.hpp>
#include <weir/registry/impl/start_error.hpp>
#include <weir/registry/shared_handles.hpp>

namespace weir {

/// What the pointers to a handle share that the registry gives out: the one that the factory made.
template <class Key, class Handle, class Options, class Sync, class Hash>
class SharedHandles<Key, Handle, Options, Sync, Hash>::Lease {
 public:
  Lease(Pointer made, std::weak_ptr<Core> core, std::weak_ptr<Entry> entry)
      : made_(std::move(made)), core_(std::move(core)), entry_(std::move(entry)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    const std::shared_ptr<Core> core = core_.lock();
    const std::shared_ptr<Entry> entry = entry_.lock();
    if (core && entry) core->last_user_leaves(*entry);
    made_.reset();
    if (core && entry) core->has_ended(*entry);
  }

 private:
  Pointer made_;
  std::weak_ptr<Core> core_;
  std::weak_ptr<Entry> entry_;
};

template <class Key, class Handle, class Options, class Sync, class Hash>
void SharedHandles<Key, Handle, Options, Sync, Hash>::Death::announce() const {
  const std::shared_ptr<Core> core = core_.lock();
  const std::shared_ptr<Entry> entry = entry_.lock();
  if (core && entry) core->die(*entry);
}

template <class Key, class Handle, class Options, class Sync, class Hash>
SharedHandles<Key, Handle, Options, Sync, Hash>::SharedHandles(Observer observer)
    : core_(std::make_shared<Core>(std::move(observer))) {}

template <class Key, class Handle, class Options, class Sync, class Hash>
SharedHandles<Key, Handle, Options, Sync, Hash>::~SharedHandles() {
  shutdown();
}

template <class Key, class Handle, class Options, class Sync, class Hash>
std::size_t SharedHandles<Key, Handle, Options, Sync, Hash>::hash_of(const Key& key) {
  // A user's Hash may leave the low bits equal, which the table uses.
  const std::uint64_t spread = std::uint64_t{Hash()(key)} * 0x9E3779B97F4A7C15U;
  return static_cast<std::size_t>(spread ^ (spread >> 32U));
}

template <class Key, class Handle, class Options, class Sync, class Hash>
template <class Factory>
Result<std::shared_ptr<Handle>> SharedHandles<Key, Handle, Options, Sync, Hash>::get_or_start(
    const Key& key, const Options& options, Factory&& factory, const Patience<Sync>& patience) {
  const std::size_t hash = hash_of(key);
  if (Pointer found = core_->hit(hash, key, &options)) return found;
  const auto mine = std::make_shared<Entry>(key, options, hash);
  Result<Pointer> joined = core_->claim_or_join(mine, options, patience);
  if (!joined || *joined) return joined;
  const auto made = [&]() -> Result<Pointer> {
    try {
      Result<Pointer> started =
          std::forward<Factory>(factory)(Starting{mine->key, mine->options, Death(core_, mine)});
      if (!started) return started;
      if (!*started)
        return std::unexpected(registry::start_failed(key, "its factory made nothing"));
      Handle* const handle = started->get();
      return Pointer(std::make_shared<Lease>(*std::move(started), core_, mine), handle);
    } catch (const std::exception& thrown) {
      return std::unexpected(registry::start_failed(key, thrown.what()));
    } catch (...) {
      return std::unexpected(
          registry::start_failed(key, "its factory threw something that is not a std::exception"));
    }
  };
  return core_->settle(*mine, made());
}

template <class Key, class Handle, class Options, class Sync, class Hash>
std::shared_ptr<Handle> SharedHandles<Key, Handle, Options, Sync, Hash>::lookup(
    const Key& key) const {
  return core_->hit(hash_of(key), key, nullptr);
}

template <class Key, class Handle, class Options, class Sync, class Hash>
bool SharedHandles<Key, Handle, Options, Sync, Hash>::stop(const Key& key) {
  return core_->stop(hash_of(key), key);
}

template <class Key, class Handle, class Options, class Sync, class Hash>
auto SharedHandles<Key, Handle, Options, Sync, Hash>::list() const -> std::vector<Listed> {
  return core_->list();
}

template <class Key, class Handle, class Options, class Sync, class Hash>
std::size_t SharedHandles<Key, Handle, Options, Sync, Hash>::count() const {
  return core_->count();
}

template <class Key, class Handle, class Options, class Sync, class Hash>
std::size_t SharedHandles<Key, Handle, Options, Sync, Hash>::waiting() const {
  return core_->waiting();
}

template <class Key, class Handle, class Options, class Sync, class Hash>
std::size_t SharedHandles<Key, Handle, Options, Sync, Hash>::shutdown() {
  return core_->shutdown();
}

}  // namespace weir
