#include "store/local/identity.hpp"

#include <optional>
#include <vector>

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include "store/local/folder_error.hpp"

namespace weir::local {
namespace {

/// `lookup` is getpwnam_r or getpwuid_r with the key bound.
template <class Lookup>
std::optional<Identity> entry(Lookup lookup) {
  std::vector<char> text(16 * 1024);
  passwd found{};
  passwd* result = nullptr;
  if (lookup(&found, text.data(), text.size(), &result) != 0 || result == nullptr)
    return std::nullopt;
  return Identity{.uid = found.pw_uid, .gid = found.pw_gid, .name = found.pw_name};
}

std::optional<Identity> named(const char* name) {
  return entry([&](auto... into) { return getpwnam_r(name, into...); });
}

}  // namespace

bool Identity::is_us() const noexcept { return uid == geteuid(); }

Result<Identity> user(uid_t uid) {
  if (auto found = entry([&](auto... into) { return getpwuid_r(uid, into...); })) return *found;
  return std::unexpected(unavailable(
      "no_such_user",
      fmt::format("user id {} has no entry in /etc/passwd, which PostgreSQL requires", uid),
      "run as a user that has one"));
}

Result<Identity> owner_of_new_cluster() {
  if (geteuid() != 0) return user(geteuid());
  for (const char* name : {"postgres", "nobody"}) {
    if (auto found = named(name)) return *found;
  }
  return std::unexpected(unavailable(
      "no_such_user", "PostgreSQL refuses to run as root, and there is no user postgres or nobody",
      "run as another user"));
}

}  // namespace weir::local
