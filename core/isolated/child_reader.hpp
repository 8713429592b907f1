/// Threads: one of its own, on which plugins are called; every member may be called from any thread.
///
/// Invariant: a child that has something to say is named to its plugin once for each watch().
#pragma once
#include <cstdint>
#include <memory>
#include <thread>

namespace weir {

class IsolatedChild;
class StopLine;

/// Waits for what children say while no call runs in them and some are pending.
class ChildReader {
 public:
  /// Whose children they are.
  class Plugin {
   public:
    virtual ~Plugin() = default;
    /// This child has something to say, or has ended.  [the reader's thread]
    virtual void read(std::uint64_t child) = 0;
  };

  /// Throws std::system_error where there is no descriptor or thread for it.
  ChildReader();
  ChildReader(const ChildReader&) = delete;
  ChildReader& operator=(const ChildReader&) = delete;
  /// May run on the reader's own thread, which ends afterwards then.
  ~ChildReader();

  /// Returns once no plugin is kept by this that everybody else had released before.
  void await_plugins();

  /// Calls the plugin once, unless it is gone by then. The caller has the child, or its set's mutex.
  void watch(const IsolatedChild& child, const std::weak_ptr<Plugin>& plugin);

  /// The child with this number is gone.
  void forget(std::uint64_t child);

  /// Sends the rest of what is to be sent there as soon as the child has read some of it.
  void retry(std::shared_ptr<StopLine> line);

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace weir
