/// All entries of a key of a KeyedRegistry as one list.
#pragma once
#include <cstddef>
#include <iterator>
#include <span>

#include <weir/registry/keyed_types.hpp>

namespace weir::keyed {

/// The entries under a key at one moment, oldest first; valid until the callback returns.
template <class Bucket, class View>
class Entries {
  using Slot = typename Bucket::Slot;

 public:
  class Iterator {
   public:
    using value_type = View;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;

    Iterator() = default;
    Iterator(const Bucket& bucket, std::size_t index) : bucket_(&bucket), index_(index) {
      if (index < bucket.size()) slots_ = bucket.from(index);
    }
    View operator*() const noexcept { return {slots_.front().owner, slots_.front().value()}; }
    Iterator& operator++() noexcept {
      slots_ = slots_.subspan(1);
      if (++index_ < bucket_->size() && slots_.empty()) slots_ = bucket_->from(index_);
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.index_ == b.index_;
    }

   private:
    const Bucket* bucket_ = nullptr;
    std::size_t index_ = 0;
    std::span<const Slot> slots_{};  // from the index on, as many as lie together
  };

  explicit Entries(const Bucket& bucket) : bucket_(bucket) {}

  /// Never 0.
  std::size_t size() const noexcept { return bucket_.size(); }
  /// Cost: one load, with more than 128 entries a few for each level of their tree.
  View operator[](std::size_t index) const noexcept {
    const Slot& slot = bucket_.from(index).front();
    return {slot.owner, slot.value()};
  }
  Iterator begin() const noexcept { return {bucket_, 0}; }
  Iterator end() const noexcept { return {bucket_, size()}; }

 private:
  const Bucket& bucket_;
};

}  // namespace weir::keyed
