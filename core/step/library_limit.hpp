#pragma once
#include <chrono>

#include <time.h>

namespace weir {

/// Ends this process if code of a plugin that others must wait for does not return in time: the
/// constructors or destructors of a library, as nothing else can be loaded meanwhile, or what a
/// deferred call has called when it should stop, as the worker calls it. What has begun cannot be
/// broken off. SIGABRT then arrives on the thread that runs it, so the fault handler records whose it
/// is.  [one at a time]
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
