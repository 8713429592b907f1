/// What makes owners of registries end with what they were made for, as Elixir's end with the
/// process that registered them.
#pragma once
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace weir {

/// Owners of registries that end together, whoever holds them. Not thread-safe: the owners are
/// added by the thread that has the scope, and ended when none has one.
class OwnerGroup {
 public:
  OwnerGroup() = default;
  OwnerGroup(OwnerGroup&&) = default;
  OwnerGroup& operator=(OwnerGroup&&) = default;
  ~OwnerGroup() { end(); }

  /// `end` must be callable though the owner is gone, and its registry too.
  void add(std::function<void()> end) { ends_.push_back(std::move(end)); }

  /// Ends the owners, those made last first.
  void end() noexcept {
    while (!ends_.empty()) {
      const std::function<void()> end = std::move(ends_.back());
      ends_.pop_back();
      end();
    }
  }

 private:
  std::vector<std::function<void()>> ends_;
};

/// While it exists, every owner that this thread makes in a KeyedRegistry belongs to the group. Of
/// several scopes the innermost counts. A library that hides its symbols has scopes of its own.
class OwnerScope {
 public:
  explicit OwnerScope(OwnerGroup& group) noexcept : outer_(std::exchange(group_, &group)) {}
  OwnerScope(const OwnerScope&) = delete;
  OwnerScope& operator=(const OwnerScope&) = delete;
  ~OwnerScope() { group_ = outer_; }

  /// The group of the innermost scope of this thread; null: it has none.
  static OwnerGroup* group() noexcept { return group_; }

 private:
  static inline constinit thread_local OwnerGroup* group_ = nullptr;
  OwnerGroup* outer_;
};

}  // namespace weir
