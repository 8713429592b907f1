#pragma once
#include <chrono>

#include <time.h>

namespace weir {

/// Ends this process if the constructors or destructors of a library do not return in time: nothing
/// else can be loaded meanwhile, and what has begun cannot be broken off. SIGABRT then arrives on the
/// thread that runs them, so the fault handler records whose they are.  [one library at a time]
class LibraryLimit {
 public:
  /// Several times what a scanner allows.
  static constexpr std::chrono::seconds patience{15};

  /// This thread begins to run them.
  void begin() noexcept;
  void end() noexcept;

 private:
  timer_t timer_{};
  bool is_set_ = false;
};

}  // namespace weir
