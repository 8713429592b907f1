/// Threads: a Scanner may be used from any thread; a Session is one thread's own, which must
/// outlive it: its child ends with that thread.
///
/// Invariant: of the orders a child was given it works on the first that has no verdict, so
/// whatever ends the child is that plugin's doing.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/child_process.hpp"
#include "base/file_descriptor.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/scan_wire.hpp"
#include "registry/flow_module.hpp"

namespace weir {

struct ScannerOptions {
  std::filesystem::path program = "/proc/self/exe";
  std::vector<std::string> arguments = {"internal", "scan"};  ///< lead to scan_as_child()
  std::chrono::milliseconds limit{2000};         ///< for one plugin, before it is a scan_timeout
  std::chrono::milliseconds start_limit{30000};  ///< for the child to be ready
};

/// Tries plugins in processes apart before they are loaded here: their constructors run there
/// first, and the descriptor is walked as the host will (Library::load, checked_descriptor). Child
/// processes take many plugins in turn; one that crashes, exits, hangs or starts a process costs
/// its batch one new child and is told apart from those beside it.  [any thread]
///
/// It contains what goes wrong, it is no sandbox: a plugin that is out to deceive can.
class Scanner {
 public:
  /// A plugin that inspect_bytes() found good.
  struct Order {
    PluginFile file;
    std::filesystem::path staged;  ///< its private copy, absolute
  };
  /// Called once for each order: its number, and why it is refused; nullopt when it is sound.
  using Verdicts = std::function<void(std::size_t, std::optional<PluginError>)>;

  explicit Scanner(ScannerOptions options = {}) : options_(std::move(options)) {}
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  class Session;

  /// How many plugins were tried, and how many children were started for it, since it was made.
  std::size_t scanned() const noexcept { return scanned_.load(std::memory_order_relaxed); }
  std::size_t started() const noexcept { return started_.load(std::memory_order_relaxed); }

 private:
  ScannerOptions options_;
  std::atomic<std::size_t> scanned_ = 0;  // counts alone: paired with nothing
  std::atomic<std::size_t> started_ = 0;  // likewise
};

/// A conversation with one child after the other; no child before the first order.  [one thread]
class Scanner::Session {
 public:
  explicit Session(Scanner& scanner) : scanner_(scanner) {}

  /// Verdicts in the order of the orders, each as soon as it is there. Errors: scan_crashed,
  /// scan_exited, scan_timeout, starts_threads, of stage scan; those of Library::load and
  /// checked_descriptor, of stage `stage`; stage_failed, when no child can be started. All with
  /// path and sha256.
  void scan(std::span<const Order> orders, const Verdicts& verdicts);

 private:
  struct Child {
    ChildProcess process;
    FileDescriptor socket;
    scan_wire::Token token;
    std::uint32_t next = 0;  // number of the verdict it owes next
  };

  std::optional<PluginError> start();
  std::size_t scan_batch(std::span<const Order> orders, std::size_t first,
                         const Verdicts& verdicts);
  std::optional<scan_wire::Verdict> next_verdict(std::chrono::milliseconds limit);
  PluginError blame(bool out_of_time);

  Scanner& scanner_;
  std::optional<Child> child_;
  std::string message_ = std::string(scan_wire::message_bytes_max, '\0');  // room to receive one
};

}  // namespace weir
