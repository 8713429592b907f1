/// What slugs are looked up in: the registry, two maps without any synchronisation, and what one
/// would otherwise put around a map. Each is filled from Flows and has
///
///     bool read(const Slug&)   finds the module and looks at it
///     bool own(const Slug&)    the same by a handle that outlives what others do (not the first
///     two)
///
/// All hash by name_hash, and find a module in an allocation of its own.
///
/// Threads: FlatMap and FlatSlots are never changed while somebody reads; the others could be.
#pragma once
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "flows.hpp"
#include "registry/flat_index.hpp"
#include "registry/name_hash.hpp"

#if WEIR_BENCH_TBB
#include <tbb/concurrent_hash_map.h>
#endif

namespace weir::bench {

/// What every reader does with what it found.
inline bool looked_at(const FlowModule* module) {
  if (module == nullptr) return false;
  asm volatile("" : : "r"(module->steps.data()));  // it must be loaded
  return true;
}

struct NameHash {
  using is_avalanching = void;
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const noexcept { return name_hash(name); }
};
struct SameName {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
};
template <class Value>
using FlatMapTo = boost::unordered_flat_map<std::string_view, Value, NameHash, SameName>;
using SharedModule = std::shared_ptr<const FlowModule>;

/// The names of all flows, for tables that keep views: close together, and not the ones that are
/// asked for, whose bytes would then be at hand already.
class Names {
 public:
  explicit Names(const Flows& flows) {
    for (std::size_t i = 0; i < flows.size(); ++i) bytes_ += flows.slug(i).view();
    length_ = bytes_.size() / flows.size();
  }
  std::string_view operator[](std::size_t i) const noexcept {
    return std::string_view(bytes_).substr(i * length_, length_);
  }

 private:
  std::string bytes_;
  std::size_t length_ = 0;  // they are all equally long
};

inline FlatMapTo<SharedModule> shared_modules(const Flows& flows, const Names& names) {
  FlatMapTo<SharedModule> map;
  for (std::size_t i = 0; i < flows.size(); ++i)
    map.emplace(names[i], std::make_shared<const FlowModule>(flows.module(i)));
  return map;
}

/// The best map there is, as nobody but one thread may use it.
class FlatMap {
 public:
  static constexpr const char* name = "flat_map";
  explicit FlatMap(const Flows& flows) : names_(flows) {
    for (std::size_t i = 0; i < flows.size(); ++i) map_.emplace(names_[i], &flows.module(i));
  }
  bool read(const Slug& slug) const {
    const auto found = map_.find(slug.view());
    return found != map_.end() && looked_at(found->second);
  }

 private:
  const Names names_;
  FlatMapTo<const FlowModule*> map_;
};

/// The registry's own index, bare.
class FlatSlots {
 public:
  static constexpr const char* name = "flat_index";
  explicit FlatSlots(const Flows& flows) {
    for (std::size_t i = 0; i < flows.size(); ++i)
      index_.put(flows.slug(i).view(), name_hash(flows.slug(i).view()), &flows.module(i));
  }
  bool read(const Slug& slug) const {
    return looked_at(index_.find(slug.view(), name_hash(slug.view())));
  }

 private:
  ScopedFlatIndex<const FlowModule> index_;
};

class Registry {
 public:
  static constexpr const char* name = "registry";
  explicit Registry(const Flows& flows) { flows.fill(registry_); }
  bool read(const Slug& slug) const {
    return registry_.read(slug, [](const FlowModule& module) { looked_at(&module); });
  }
  bool own(const Slug& slug) const {
    const auto handle = registry_.get(slug);
    return handle && looked_at(&**handle);
  }
  FlowRegistry& registry() noexcept { return registry_; }

 private:
  FlowRegistry registry_;
};

class SharedMutexMap {
 public:
  static constexpr const char* name = "shared_mutex";
  explicit SharedMutexMap(const Flows& flows)
      : names_(flows), map_(shared_modules(flows, names_)) {}
  bool read(const Slug& slug) const {
    const std::shared_lock lock(mutex_);
    const auto found = map_.find(slug.view());
    return found != map_.end() && looked_at(found->second.get());
  }
  bool own(const Slug& slug) const { return looked_at(held(slug).get()); }

 private:
  SharedModule held(const Slug& slug) const {
    const std::shared_lock lock(mutex_);
    const auto found = map_.find(slug.view());
    return found != map_.end() ? found->second : nullptr;
  }

  const Names names_;
  mutable std::shared_mutex mutex_;  // guards map_
  FlatMapTo<SharedModule> map_;
};

/// A whole map behind one shared_ptr that a writer would exchange.
class SharedSnapshot {
 public:
  static constexpr const char* name = "atomic_shared_ptr";
  explicit SharedSnapshot(const Flows& flows)
      : names_(flows), map_(std::make_shared<const Map>(shared_modules(flows, names_))) {}
  bool read(const Slug& slug) const {
    const auto map = map_.load(std::memory_order_acquire);
    const auto found = map->find(slug.view());
    return found != map->end() && looked_at(found->second.get());
  }
  bool own(const Slug& slug) const { return looked_at(held(slug).get()); }

 private:
  using Map = FlatMapTo<SharedModule>;

  SharedModule held(const Slug& slug) const {
    const auto map = map_.load(std::memory_order_acquire);
    const auto found = map->find(slug.view());
    return found != map->end() ? found->second : nullptr;
  }

  const Names names_;
  std::atomic<std::shared_ptr<const Map>> map_;  // never exchanged here
};

#if WEIR_BENCH_TBB
class TbbMap {
 public:
  static constexpr const char* name = "tbb";
  explicit TbbMap(const Flows& flows) : names_(flows) {
    for (std::size_t i = 0; i < flows.size(); ++i)
      map_.emplace(names_[i], std::make_shared<const FlowModule>(flows.module(i)));
  }
  bool read(const Slug& slug) const {
    Map::const_accessor found;
    return map_.find(found, slug.view()) && looked_at(found->second.get());
  }
  bool own(const Slug& slug) const { return looked_at(held(slug).get()); }

 private:
  struct HashCompare {
    static std::size_t hash(std::string_view name) noexcept { return name_hash(name); }
    static bool equal(std::string_view a, std::string_view b) noexcept { return a == b; }
  };
  using Map = tbb::concurrent_hash_map<std::string_view, SharedModule, HashCompare>;

  SharedModule held(const Slug& slug) const {
    Map::const_accessor found;
    return map_.find(found, slug.view()) ? found->second : nullptr;
  }

  const Names names_;
  Map map_;
};
#endif

}  // namespace weir::bench
