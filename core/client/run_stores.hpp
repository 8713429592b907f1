/// Sessions of one database, lent to threads.
///
/// Threads: every member may be called from any thread; a store is used by the thread it is lent
/// to.
///
/// Invariants:
/// - A store is idle, or lent to one thread. There are never more than `count_max`.
/// - All loans are destroyed before this object is.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/error.hpp"
#include "store/run_store.hpp"

namespace weir {

class RunStores {
 public:
  using Open = std::function<Result<std::unique_ptr<RunStore>>()>;

  RunStores(Open open, std::size_t count_max) : open_(std::move(open)), remaining_(count_max) {}

  /// Lends only this store, which the caller owns.
  explicit RunStores(RunStore& store) : remaining_(0) { idle_.push_back(&store); }

  ~RunStores() { WEIR_ASSERT(lent_ == 0); }
  RunStores(const RunStores&) = delete;
  RunStores& operator=(const RunStores&) = delete;

  /// Returns its store when it is destroyed.
  class Loan {
   public:
    Loan(Loan&& other) noexcept
        : stores_(other.stores_), store_(std::exchange(other.store_, nullptr)) {}
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (store_ != nullptr) stores_->return_store(store_);
    }
    RunStore* operator->() const noexcept { return store_; }
    RunStore& operator*() const noexcept { return *store_; }

   private:
    friend RunStores;
    Loan(RunStores& stores, RunStore& store) : stores_(&stores), store_(&store) {}
    RunStores* stores_;
    RunStore* store_;
  };

  /// The store returned most recently, or a new one; waits while all are lent. Errors: as `open`.
  Result<Loan> borrow();

 private:
  Loan lend(RunStore& store);
  void return_store(RunStore* store);

  const Open open_;
  std::mutex mutex_;
  std::condition_variable available_;
  std::size_t remaining_;                         // how many more may be made; guarded by mutex_
  std::size_t lent_ = 0;                          // guarded by mutex_
  std::vector<RunStore*> idle_;                   // guarded by mutex_
  std::vector<std::unique_ptr<RunStore>> owned_;  // guarded by mutex_
};

}  // namespace weir
