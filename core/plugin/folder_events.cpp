#include "plugin/folder_events.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace weir {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t file_event_mask = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB |
                                          IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF |
                                          IN_MOVE_SELF;
constexpr std::uint32_t new_folder_mask = IN_CREATE | IN_MOVED_TO;

bool is_candidate(std::string_view name) { return !name.starts_with('.') && name.ends_with(".so"); }

std::string why_no_hints(int error) {
  return error == ENOSPC || error == EMFILE
             ? "the limit of inotify is reached (fs.inotify.max_user_watches, "
               "fs.inotify.max_user_instances)"
             : fmt::format("inotify: {}", std::generic_category().message(error));
}

}  // namespace

FolderEvents::FolderEvents()
    : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      woken_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!inotify_) problem_ = why_no_hints(errno);
}

int FolderEvents::watch_one(const fs::path& folder) {
  const int watch =
      ::inotify_add_watch(inotify_.fd(), folder.c_str(), file_event_mask | IN_ONLYDIR);
  if (watch < 0 && (errno == ENOSPC || errno == ENOMEM)) problem_ = why_no_hints(errno);
  return watch;
}

void FolderEvents::watch(const std::vector<fs::path>& folders) {
  if (!inotify_) return;
  problem_.clear();
  std::map<fs::path, int> now;
  std::set<Awaited> awaited;
  for (const fs::path& folder : folders) {
    if (const int watch = watch_one(folder); watch >= 0) {
      now[folder] = watch;
      continue;
    }
    const int above = ::inotify_add_watch(inotify_.fd(), folder.parent_path().c_str(),
                                          new_folder_mask | IN_ONLYDIR | IN_MASK_ADD);
    if (above >= 0) awaited.emplace(above, folder.filename().string());
  }
  const auto is_used = [&](int watch) {
    return std::ranges::any_of(awaited, [&](const auto& each) { return each.first == watch; }) ||
           std::ranges::any_of(now, [&](const auto& each) { return each.second == watch; });
  };
  for (const auto& [folder, watch] : watches_)
    if (!is_used(watch)) ::inotify_rm_watch(inotify_.fd(), watch);
  for (const auto& [watch, name] : awaited_)
    if (!is_used(watch)) ::inotify_rm_watch(inotify_.fd(), watch);
  watches_ = std::move(now);
  awaited_ = std::move(awaited);
}

bool FolderEvents::read_hints() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  bool hint = false;
  for (;;) {
    const ssize_t size = ::read(inotify_.fd(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return hint;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      // The name is padded with zeros; there is none when the event is about the folder itself.
      const char* const name = buffer.data() + at + sizeof event;
      const std::string_view named(name, ::strnlen(name, event.len));
      hint = hint || named.empty() || is_candidate(named) ||
             awaited_.contains({event.wd, std::string(named)});
      at += sizeof event + event.len;
    }
  }
}

bool FolderEvents::sleep(Steady deadline, bool for_hints) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> polled = {pollfd{woken_.fd(), POLLIN, 0},
                                    pollfd{for_hints ? inotify_.fd() : -1, POLLIN, 0}};
    constexpr std::int64_t longest = 60'000;
    ::poll(polled.data(), polled.size(), static_cast<int>(std::min(left.count(), longest)));
    if (polled[0].revents != 0) {
      std::uint64_t count = 0;
      while (::read(woken_.fd(), &count, sizeof count) < 0 && errno == EINTR) {
      }
      return false;
    }
    if (polled[1].revents != 0 && read_hints()) return true;
  }
}

bool FolderEvents::wait(Steady deadline) { return sleep(deadline, true); }
void FolderEvents::pause(Steady deadline) { sleep(deadline, false); }

void FolderEvents::wake() noexcept {
  const std::uint64_t one = 1;
  while (::write(woken_.fd(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace weir
