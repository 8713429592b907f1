/// Threads: a Seat belongs to one thread, and only that thread writes its record. The parent
/// process reads a copy of a page after the process that wrote it has ended: a process that it
/// forked may still write. What a fault handler shares with other threads is atomic: `state` of a
/// seat, `thread` of the crash and of the library. Libraries are loaded and unloaded one at a time.
///
/// Trust: a process that crashes may have written anything into its page. The page cannot become
/// smaller, and its reader bounds and checks all numbers and texts.
///
/// Invariants: a seat is in_call exactly while its thread is inside a handler; the first thread
/// that crashes is the one recorded.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "plugin/library.hpp"
#include "run/ids.hpp"

namespace weir {

struct Attempt;

// The layout of the page. Texts end with a NUL, and are cut off where there is no room for them.
namespace flight {

struct SeatRecord {
  enum State : std::uint32_t { free, idle, in_call };

  std::atomic<std::uint32_t> state;  // taken with acq_rel; in_call released by the seat's thread
  std::int32_t attempt;
  std::uint32_t step, index;  ///< position of the step; task index
  WorkerId worker;
  RunKey run;
  std::array<char, 40> run_id;
  std::array<char, 132> flow, step_slug;
  std::array<char, 68> sha256;
  std::array<char, 512> path;
};

/// The library whose constructors or destructors run, outside of all calls.
struct LibraryRecord {
  std::atomic<std::int32_t>
      thread;                  // that runs them; 0: none. Released by it, once the rest is set
  std::int32_t code;           ///< LibraryCode
  std::array<char, 512> copy;  ///< the library's private copy
};

struct Frame {
  std::uint64_t address;
  std::uint64_t offset;  ///< in the file it was mapped from
  std::int32_t file;     ///< among CrashRecord::files; -1: none
};

struct CrashRecord {
  static constexpr std::size_t frames_max = 64, files_max = 16;

  // Claimed with acq_rel by the first thread that crashes; 0: none.
  std::atomic<std::int32_t> thread;
  std::int32_t seat;      ///< -1: a thread that is not a slot's, or is between two calls
  std::int32_t signal;    ///< 0: it called exit or the like
  std::int32_t code;      ///< si_code, or the exit status
  std::int32_t sender;    ///< the process that sent the signal, if one did
  std::uint64_t address;  ///< si_addr
  std::uint64_t pc;
  std::uint32_t frame_count;
  std::array<Frame, frames_max> frames;  ///< innermost first
  std::uint32_t file_count;
  std::array<std::array<char, 512>, files_max> files;
};

struct Page {
  static constexpr std::uint32_t magic_word = 0x52494557, version_now = 2;
  static constexpr std::size_t workers_max = 64;

  std::uint32_t magic, version;
  std::uint32_t seat_count;
  std::int32_t pid;                                        ///< of the process that writes
  std::array<std::atomic<WorkerId>, workers_max> workers;  // those that joined; relaxed: own data
  LibraryRecord library;
  CrashRecord crash;

  SeatRecord* seats() noexcept { return reinterpret_cast<SeatRecord*>(this + 1); }
};

}  // namespace flight

/// Records what every slot of a worker process is running, in memory that outlives the process, so
/// that its parent learns whose code was running when it crashed (F1).
///
/// Cost: about 100 ns a call; no lock, no allocation.
class FlightRecorder {
 public:
  /// An empty page with room for `seats` threads. Errors: unavailable, kind "out_of_memory".
  static Result<FlightRecorder> make(std::size_t seats);

  /// The page that another process made and passed on; this process writes into it. Errors:
  /// unavailable, kind "out_of_memory"; corrupt, kind "bad_flight_recorder".
  static Result<FlightRecorder> open(FileDescriptor memory);

  /// What the page contains now, in memory of this process alone, which memory() does not name.
  /// Errors: unavailable, kind "out_of_memory".
  Result<FlightRecorder> copy() const;

  FlightRecorder(FlightRecorder&& other) noexcept;
  FlightRecorder& operator=(FlightRecorder&&) = delete;
  ~FlightRecorder();

  const FileDescriptor& memory() const noexcept { return memory_; }
  flight::Page& page() const noexcept { return *page_; }

  /// The seats that the page has room for, whatever the other process has written into it.
  std::span<flight::SeatRecord> seats() const noexcept;

  /// Notes a worker that joined, until it has left. More than workers_max are not noted.
  void add_worker(WorkerId worker) noexcept;
  void remove_worker(WorkerId worker) noexcept;
  std::vector<WorkerId> workers() const;

  /// Notes that this thread runs a library's constructors or destructors, until end_library().
  void begin_library(LibraryCode code, std::string_view copy) noexcept;
  void end_library() noexcept;

  /// The place of this thread in the page, while the object lives; it is destroyed on the same
  /// thread. When the page is full, it records nothing: is_taken() says whether it does.
  class Seat {
   public:
    /// With null it records nothing.
    explicit Seat(const std::shared_ptr<FlightRecorder>& recorder) noexcept;
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    bool is_taken() const noexcept { return record_ != nullptr; }
    void begin(const Attempt& attempt) noexcept;
    void end() noexcept;

    /// The attempt between begin() and end(), else null.
    const Attempt* attempt() const noexcept { return attempt_; }
    /// That of this thread; null: it has none.
    static Seat* of_this_thread() noexcept;

   private:
    std::shared_ptr<FlightRecorder> recorder_;
    flight::SeatRecord* record_ = nullptr;
    const Attempt* attempt_ = nullptr;
  };

  /// This thread, as the page names it.  [any thread; in signal handlers too]
  static std::int32_t this_thread() noexcept;

  /// The number of this thread's seat while the thread is inside a handler, else -1.  [any thread;
  /// in signal handlers too]
  static std::int32_t seat_in_call(flight::Page& page) noexcept;

  /// Whether this thread runs code of a plugin: a handler, or a library's constructors or
  /// destructors.  [any thread; in signal handlers too]
  static bool runs_plugin(flight::Page& page) noexcept;

 private:
  FlightRecorder(FileDescriptor memory, flight::Page* page, std::size_t bytes) noexcept
      : memory_(std::move(memory)), page_(page), bytes_(bytes) {}

  FileDescriptor memory_;
  flight::Page* page_;
  std::size_t bytes_;
};

}  // namespace weir
