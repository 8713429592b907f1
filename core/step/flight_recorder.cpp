#include "step/flight_recorder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "step/attempt.hpp"

namespace weir {
namespace {

using flight::Page;
using flight::SeatRecord;

static_assert(std::atomic<std::uint32_t>::is_always_lock_free &&
              std::atomic<WorkerId>::is_always_lock_free);

// This thread's seat, for the fault handler. It is defined in the program itself, so that reading
// it calls no function.
constinit thread_local SeatRecord* thread_seat = nullptr;
constinit thread_local FlightRecorder::Seat* thread_seat_object = nullptr;

std::size_t bytes_for(std::size_t seats) { return sizeof(Page) + seats * sizeof(SeatRecord); }

std::unexpected<Error> refuse(ErrorCode code, const char* kind, std::string message) {
  return std::unexpected(
      Error{.code = code, .kind = kind, .message = std::move(message), .hint = {}});
}

Result<Page*> map(const FileDescriptor& memory, std::size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd(), 0);
  if (mapped == MAP_FAILED)
    return refuse(ErrorCode::unavailable, "out_of_memory",
                  std::string("cannot map the flight recorder: ") + std::strerror(errno));
  return static_cast<Page*>(mapped);
}

template <std::size_t Size>
void put(std::array<char, Size>& into, std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), Size - 1);
  std::copy_n(text.begin(), size, into.begin());
  into[size] = '\0';
}

}  // namespace

Result<FlightRecorder> FlightRecorder::make(std::size_t seats) {
  FileDescriptor memory(::memfd_create("weir-flights", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const std::size_t bytes = bytes_for(seats);
  if (!memory || ::ftruncate(memory.fd(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return refuse(ErrorCode::unavailable, "out_of_memory",
                  std::string("cannot make the flight recorder: ") + std::strerror(errno));
  const auto mapped = map(memory, bytes);
  if (!mapped) return std::unexpected(mapped.error());
  Page* const page = *mapped;  // all zeros, as the file is
  page->magic = Page::magic_word;
  page->version = Page::version_now;
  page->seat_count = static_cast<std::uint32_t>(seats);
  page->crash.seat = -1;
  return FlightRecorder(std::move(memory), page, bytes);
}

Result<FlightRecorder> FlightRecorder::open(FileDescriptor memory) {
  struct stat status{};
  if (::fstat(memory.fd(), &status) != 0 || status.st_size < static_cast<off_t>(sizeof(Page)))
    return refuse(ErrorCode::corrupt, "bad_flight_recorder", "there is no flight recorder");
  const auto bytes = static_cast<std::size_t>(status.st_size);
  const auto mapped = map(memory, bytes);
  if (!mapped) return std::unexpected(mapped.error());
  Page* const page = *mapped;
  if (page->magic != Page::magic_word || page->version != Page::version_now ||
      bytes_for(page->seat_count) != bytes) {
    ::munmap(page, bytes);
    return refuse(ErrorCode::corrupt, "bad_flight_recorder",
                  "the flight recorder was made by another program or version");
  }
  page->pid = ::getpid();
  return FlightRecorder(std::move(memory), page, bytes);
}

Result<FlightRecorder> FlightRecorder::copy() const {
  void* const mapped =
      ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return refuse(ErrorCode::unavailable, "out_of_memory",
                  std::string("cannot copy the flight recorder: ") + std::strerror(errno));
  std::memcpy(mapped, static_cast<const void*>(page_), bytes_);
  return FlightRecorder(FileDescriptor(), static_cast<Page*>(mapped), bytes_);
}

FlightRecorder::FlightRecorder(FlightRecorder&& other) noexcept
    : memory_(std::move(other.memory_)),
      page_(std::exchange(other.page_, nullptr)),
      bytes_(other.bytes_) {}

FlightRecorder::~FlightRecorder() {
  if (page_ != nullptr) ::munmap(page_, bytes_);
}

std::span<flight::SeatRecord> FlightRecorder::seats() const noexcept {
  return {page_->seats(), (bytes_ - sizeof(Page)) / sizeof(SeatRecord)};
}

void FlightRecorder::add_worker(WorkerId worker) noexcept {
  for (auto& place : page_->workers) {
    WorkerId none = 0;
    if (place.compare_exchange_strong(none, worker, std::memory_order_relaxed)) return;
  }
}

void FlightRecorder::remove_worker(WorkerId worker) noexcept {
  for (auto& place : page_->workers) {
    WorkerId here = worker;
    if (place.compare_exchange_strong(here, 0, std::memory_order_relaxed)) return;
  }
}

std::vector<WorkerId> FlightRecorder::workers() const {
  std::vector<WorkerId> all;
  for (const auto& place : page_->workers)
    if (const WorkerId worker = place.load(std::memory_order_relaxed); worker != 0)
      all.push_back(worker);
  return all;
}

void FlightRecorder::begin_library(LibraryCode code, std::string_view copy) noexcept {
  flight::LibraryRecord& library = page_->library;
  WEIR_ASSERT(library.thread.load(std::memory_order_relaxed) == 0);  // one at a time
  library.code = static_cast<std::int32_t>(code);
  put(library.copy, copy);
  library.thread.store(this_thread(), std::memory_order_release);
}

void FlightRecorder::end_library() noexcept {
  page_->library.thread.store(0, std::memory_order_release);
}

FlightRecorder::Seat::Seat(const std::shared_ptr<FlightRecorder>& recorder) noexcept
    : recorder_(recorder) {
  if (!recorder_) return;
  WEIR_ASSERT(thread_seat == nullptr);  // a thread has one
  flight::Page& page = recorder_->page();
  for (std::uint32_t i = 0; i < page.seat_count && record_ == nullptr; ++i) {
    std::uint32_t free = SeatRecord::free;
    if (page.seats()[i].state.compare_exchange_strong(free, SeatRecord::idle,
                                                      std::memory_order_acq_rel))
      record_ = &page.seats()[i];
  }
  thread_seat = record_;
  if (record_ != nullptr) thread_seat_object = this;
}

FlightRecorder::Seat::~Seat() {
  if (record_ == nullptr) return;
  WEIR_ASSERT(thread_seat == record_);  // on the same thread
  thread_seat = nullptr;
  thread_seat_object = nullptr;
  record_->state.store(SeatRecord::free, std::memory_order_release);
}

FlightRecorder::Seat* FlightRecorder::Seat::of_this_thread() noexcept { return thread_seat_object; }

void FlightRecorder::Seat::begin(const Attempt& attempt) noexcept {
  attempt_ = &attempt;
  if (record_ == nullptr) return;
  WEIR_ASSERT(thread_seat == record_ &&
              record_->state.load(std::memory_order_relaxed) == SeatRecord::idle);
  const FlowModule& module = *attempt.flow;
  record_->attempt = attempt.number;
  record_->step = static_cast<std::uint32_t>(attempt.task.step);
  record_->index = static_cast<std::uint32_t>(attempt.task.index);
  record_->worker = attempt.worker;
  record_->run = attempt.run;
  put(record_->run_id, attempt.run_id);
  put(record_->flow, module.definition.slug().view());
  put(record_->step_slug, module.definition.steps()[attempt.task.step].slug.view());
  put(record_->sha256, module.file.sha256);
  put(record_->path, module.file.path);
  record_->state.store(SeatRecord::in_call, std::memory_order_release);
}

void FlightRecorder::Seat::end() noexcept {
  attempt_ = nullptr;
  if (record_ == nullptr) return;
  WEIR_ASSERT(thread_seat == record_ &&
              record_->state.load(std::memory_order_relaxed) == SeatRecord::in_call);
  record_->state.store(SeatRecord::idle, std::memory_order_release);
}

std::int32_t FlightRecorder::this_thread() noexcept {
  return static_cast<std::int32_t>(::syscall(SYS_gettid));
}

std::int32_t FlightRecorder::seat_in_call(flight::Page& page) noexcept {
  const SeatRecord* const record = thread_seat;
  if (record == nullptr || record < page.seats() || record >= page.seats() + page.seat_count ||
      record->state.load(std::memory_order_relaxed) != SeatRecord::in_call)
    return -1;
  return static_cast<std::int32_t>(record - page.seats());
}

bool FlightRecorder::runs_plugin(flight::Page& page) noexcept {
  return seat_in_call(page) >= 0 ||
         page.library.thread.load(std::memory_order_relaxed) == this_thread();
}

}  // namespace weir
