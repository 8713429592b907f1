#include "plugin/scan_child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/abi/plugin.h>

#include "base/child_process.hpp"
#include "base/file_descriptor.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/elf_image.hpp"
#include "plugin/library.hpp"
#include "plugin/library_reaper.hpp"
#include "plugin/no_new_processes.hpp"
#include "plugin/scan_wire.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;
using scan_wire::Verdict;

constexpr std::size_t loaded_bytes_max = std::size_t{1} << 30U;  // then another child takes over

// A sanitizer's shadow memory is larger than any limit on the address space that would be of use.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_bounded = false;
#else
constexpr bool memory_bounded = true;
#endif

void limit(__rlimit_resource what, rlim_t most) {
  rlimit now{};
  if (::getrlimit(what, &now) != 0) return;
  now.rlim_cur = now.rlim_max = std::min(most, now.rlim_max);
  ::setrlimit(what, &now);
}

void limit_processor_time(rlim_t seconds_more) {
  rusage used{};
  rlimit now{};
  if (::getrusage(RUSAGE_SELF, &used) != 0 || ::getrlimit(RLIMIT_CPU, &now) != 0) return;
  now.rlim_cur =
      std::min(now.rlim_max,
               static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + seconds_more + 1);
  ::setrlimit(RLIMIT_CPU, &now);
}

// The private copy, and its note, which the host read from the same bytes.
class MappedCopy {
 public:
  explicit MappedCopy(const std::string& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file || ::fstat(file.fd(), &status) != 0 || status.st_size <= 0) return;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd(), 0);
    if (at != MAP_FAILED) bytes_ = {static_cast<const char*>(at), size};
  }
  ~MappedCopy() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  MappedCopy(const MappedCopy&) = delete;
  MappedCopy& operator=(const MappedCopy&) = delete;

  std::string_view bytes() const noexcept { return bytes_; }

  std::optional<std::string_view> note() const {
    const auto image = ElfImage::parse(bytes_);
    if (!image) return std::nullopt;
    const auto notes = image->notes(WEIR_NOTE_NAME, WEIR_NOTE_TYPE);
    return notes.size() == 1 ? std::optional(notes.front()) : std::nullopt;
  }

 private:
  std::string_view bytes_;
};

std::size_t threads_listed() {
  std::error_code failed;
  const fs::directory_iterator tasks("/proc/self/task", failed);
  return failed ? 1 : static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

std::size_t threads_linked() {
  struct stat tasks{};
  return ::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2 ? tasks.st_nlink - 2 : 0;
}

// Linux has the number of threads in the folder's link count, which is far cheaper than listing it.
std::size_t threads() {
  static const bool links_count = threads_linked() == threads_listed();
  return links_count ? threads_linked() : threads_listed();
}

// Threads that end within a moment do not count.
std::size_t threads_left(std::size_t before) {
  constexpr auto moment = std::chrono::milliseconds(100);
  const auto deadline = std::chrono::steady_clock::now() + moment;
  for (;;) {
    const std::size_t now = threads();
    if (now <= before) return 0;
    if (std::chrono::steady_clock::now() > deadline) return now - before;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class ScanChild {
 public:
  explicit ScanChild(long seconds_max) : seconds_max_(static_cast<rlim_t>(seconds_max)) {
    ::prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, rlim_t{64} << 20U);
    if (memory_bounded) limit(RLIMIT_AS, rlim_t{8} << 30U);
    hide_socket();
    if (receive(token_.data(), token_.size()) != token_.size()) end();
    LibraryReaper::of_process();  // so that its thread is not counted for the first plugin
    forbid_new_processes(NewProcess::kills);
  }

  [[noreturn]] void run() {
    Verdict ready;
    ready.number = Verdict::ready;
    send(ready);
    std::string message(scan_wire::message_bytes_max, '\0');
    std::uint32_t number = 0;
    for (;;) {
      const std::size_t size = receive(message.data(), message.size());
      const auto orders = scan_wire::read_orders({message.data(), size});
      if (size == 0 || !orders) end();
      limit_processor_time(seconds_max_ * orders->size());
      for (const scan_wire::Order& order : *orders) {
        Verdict verdict = scan(order);
        verdict.number = number++;
        send(verdict);
        if (verdict.last) end();
      }
    }
  }

 private:
  [[noreturn]] static void end() { ::_exit(EXIT_SUCCESS); }

  // Moves the socket to a number that code which writes to the usual descriptors does not hit, as far
  // as the limit on open files has such numbers.
  void hide_socket() {
    unsigned random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) random = 0;
    constexpr rlim_t lowest_max = 100, highest_max = 899;
    rlimit files{.rlim_cur = highest_max, .rlim_max = highest_max};
    static_cast<void>(::getrlimit(RLIMIT_NOFILE, &files));
    const rlim_t highest = std::clamp<rlim_t>(files.rlim_cur, 1, highest_max + 1) - 1;
    const rlim_t lowest = std::min(lowest_max, highest / 2);
    socket_ = ::fcntl(scan_wire::child_fd, F_DUPFD_CLOEXEC,
                      static_cast<int>(lowest + random % (highest - lowest + 1)));
    if (socket_ < 0) ::_exit(EXIT_FAILURE);
    ::close(scan_wire::child_fd);
  }

  // Returns 0 when the scanner is gone.
  std::size_t receive(char* into, std::size_t room) const {
    for (;;) {
      const ssize_t size = ::recv(socket_, into, room, 0);
      if (size < 0 && errno == EINTR) continue;
      return size < 0 ? 0 : static_cast<std::size_t>(size);
    }
  }

  void send(const Verdict& verdict) const {
    if (::getpid() != self_) ::_exit(EXIT_FAILURE);  // a fork of this process, made by a plugin
    const std::string message = scan_wire::written(token_, verdict);
    ssize_t sent;
    do sent = ::send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) ::_exit(EXIT_FAILURE);  // the scanner is gone, or a plugin closed the socket
  }

  // noexcept: an exception that a constructor throws through the loader must end the process here.
  Verdict scan(const scan_wire::Order& order) noexcept {
    Verdict verdict;
    const MappedCopy copy(order.staged);
    const auto note = copy.note();
    const auto manifest = note ? Manifest::parse(*note) : std::unexpected(Faults{});
    if (!manifest) {
      verdict.refused = refusal(PluginStage::scan, PluginFault::bad_manifest,
                                "its private copy is not what was verified", "load it again")
                            .error();
      return verdict;
    }
    const std::size_t threads_before = threads();
    auto library = Library::load(fs::path(order.staged), order.sha256);
    if (!library) {
      verdict.refused = std::move(library.error());
      return verdict;
    }
    loaded_.push_back(*library);
    loaded_bytes_ += copy.bytes().size();
    if (const std::size_t left = threads_left(threads_before); left > 0) {
      verdict.last = true;
      verdict.refused =
          refusal(PluginStage::scan, PluginFault::starts_threads,
                  fmt::format("loading it leaves {} thread{} running", left, left == 1 ? "" : "s"),
                  "start threads when a step needs them, not in a constructor: a library with "
                  "running threads can't be unloaded")
              .error();
      return verdict;
    }
    verdict.last = loaded_bytes_ > loaded_bytes_max;
    auto descriptor = checked_descriptor((*library)->symbol(WEIR_PLUGIN_SYMBOL),
                                         (*library)->memory(), *manifest, *note);
    if (!descriptor) verdict.refused = std::move(descriptor.error());
    return verdict;
  }

  rlim_t seconds_max_;
  pid_t self_ = ::getpid();
  int socket_ = -1;  // never closed
  scan_wire::Token token_{};
  std::vector<std::shared_ptr<const Library>> loaded_;  // never released
  std::size_t loaded_bytes_ = 0;
};

}  // namespace

std::vector<std::string> scan_child_arguments(long seconds_max) {
  return {std::to_string(seconds_max), std::to_string(::getpid())};
}

void scan_as_child(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) ::_exit(EXIT_FAILURE);
  end_with_parent(static_cast<pid_t>(std::atol(arguments[1].c_str())));
  (new ScanChild(std::max(1L, std::atol(arguments[0].c_str()))))->run();  // never destroyed
}

}  // namespace weir
