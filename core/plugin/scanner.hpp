/// Threads: a Scanner may be used from any thread; a Session belongs to one thread, which must
/// outlive it: its child ends with that thread.
///
/// Invariant: a child works on the first of its orders that has no verdict, so whatever ends the
/// child was caused by that plugin.
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

/// Scans plugins in separate processes before they are loaded here: their constructors run there
/// first, and the descriptor is checked as the host will (Library::load, checked_descriptor). A
/// child process takes many plugins in turn; one that crashes, exits, hangs or starts a process
/// costs its batch one new child, and only that plugin is refused.  [any thread]
///
/// It contains accidents, it is not a sandbox: a plugin that sets out to deceive it can.
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

  /// How many plugins were scanned, and how many children were started for it, since construction.
  std::size_t scanned() const noexcept { return scanned_.load(std::memory_order_relaxed); }
  std::size_t started() const noexcept { return started_.load(std::memory_order_relaxed); }

 private:
  ScannerOptions options_;
  std::atomic<std::size_t> scanned_ = 0;  // a count alone: paired with nothing
  std::atomic<std::size_t> started_ = 0;  // a count alone: paired with nothing
};

/// Scans with one child after another; starts none before the first order.  [one thread]
class Scanner::Session {
 public:
  explicit Session(Scanner& scanner) : scanner_(scanner) {}

  /// Calls `verdicts` in the order of `orders`, each time as soon as a verdict is there. Errors:
  /// scan_crashed, scan_exited, scan_timeout, starts_threads, of stage scan; those of Library::load
  /// and checked_descriptor, of stage `stage`; stage_failed, when no child can be started. All with
  /// path and sha256.
  void scan(std::span<const Order> orders, const Verdicts& verdicts);

 private:
  struct Child {
    ChildProcess process;
    FileDescriptor socket;
    scan_wire::Token token;
    std::uint32_t next = 0;  // number of its next verdict
  };

  std::optional<PluginError> start();
  std::size_t scan_batch(std::span<const Order> orders, std::size_t first,
                         const Verdicts& verdicts);
  std::optional<scan_wire::Verdict> next_verdict(std::chrono::milliseconds limit);
  PluginError kill_and_explain(bool out_of_time);

  Scanner& scanner_;
  std::optional<Child> child_;
  std::string message_ = std::string(scan_wire::message_bytes_max, '\0');  // receives one message
};

}  // namespace weir
