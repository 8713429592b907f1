#include "isolated/child_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/file_descriptor.hpp"
#include "isolated/isolated_child.hpp"
#include "isolated/stop_line.hpp"

namespace weir {
namespace {

constexpr int retry_ms = 20;

}  // namespace

// Shared with the thread, which may outlive the reader.
struct ChildReader::Shared {
  const FileDescriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
  const FileDescriptor wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex calling;                                      // held while plugins are called and kept
  std::mutex mutex;                                        // guards what follows
  std::map<std::uint64_t, std::weak_ptr<Plugin>> plugins;  // by child
  std::vector<std::shared_ptr<StopLine>> slow;
  // Children that the kernel has no room for: read now and then.
  std::vector<std::pair<std::uint64_t, std::weak_ptr<Plugin>>> unwatched;
  bool closing = false;

  void wake_up() const { static_cast<void>(::eventfd_write(wake.fd(), 1)); }
};

ChildReader::ChildReader() : shared_(std::make_shared<Shared>()) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  if (!shared_->epoll || !shared_->wake ||
      ::epoll_ctl(shared_->epoll.fd(), EPOLL_CTL_ADD, shared_->wake.fd(), &event) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "no descriptor to wait for isolated processes");
  thread_ = std::thread([shared = shared_] { run(shared); });
}

ChildReader::~ChildReader() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
  }
  shared_->wake_up();
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();  // it has released the last plugin
  else
    thread_.join();
}

void ChildReader::await_plugins() { const std::lock_guard calling(shared_->calling); }

void ChildReader::watch(const IsolatedChild& child, const std::weak_ptr<Plugin>& plugin) {
  bool is_new = false;
  {
    const std::lock_guard lock(shared_->mutex);
    is_new = shared_->plugins.emplace(child.id(), plugin).second;
  }
  // Its process too: where it can start others, one of them may keep the channel open.
  bool watched = true;
  for (const int fd : {child.channel(), child.pidfd()}) {
    epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = child.id()}};
    watched =
        ::epoll_ctl(shared_->epoll.fd(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0 &&
        watched;
  }
  if (watched) return;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->unwatched.emplace_back(child.id(), plugin);
    shared_->plugins.erase(child.id());  // it is new the next time
  }
  shared_->wake_up();
}

void ChildReader::forget(std::uint64_t child) {
  const std::lock_guard lock(shared_->mutex);
  shared_->plugins.erase(child);
}

void ChildReader::retry(std::shared_ptr<StopLine> line) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->slow.push_back(std::move(line));
  }
  shared_->wake_up();
}

void ChildReader::run(const std::shared_ptr<Shared>& shared) {
  std::array<epoll_event, 64> events;
  std::vector<std::shared_ptr<StopLine>> slow;
  std::vector<std::pair<std::uint64_t, std::weak_ptr<Plugin>>> speak;
  for (;;) {
    const bool retries = !slow.empty() || !speak.empty();
    const int count = ::epoll_wait(shared->epoll.fd(), events.data(),
                                   static_cast<int>(events.size()), retries ? retry_ms : -1);
    // Before what it tells of is looked at: what comes later wakes again.
    eventfd_t woken = 0;
    static_cast<void>(::eventfd_read(shared->wake.fd(), &woken));
    {
      const std::lock_guard lock(shared->mutex);
      if (shared->closing) return;
      for (int i = 0; i < count; ++i) {
        const auto found = shared->plugins.find(events[static_cast<std::size_t>(i)].data.u64);
        if (found != shared->plugins.end()) speak.emplace_back(*found);
      }
      std::ranges::move(std::exchange(shared->slow, {}), std::back_inserter(slow));
    }
    std::erase_if(slow, [](const auto& line) { return line->send_rest(); });
    {
      const std::lock_guard calling(shared->calling);
      for (const auto& [child, plugin] : std::exchange(speak, {}))
        if (const auto living = plugin.lock())
          living->read(child);  // its end may be that of the reader
    }
    const std::lock_guard lock(shared->mutex);
    speak = std::exchange(shared->unwatched, {});
  }
}

}  // namespace weir
