#pragma once
#include <string>

#include <sys/types.h>

#include "base/error.hpp"

namespace weir::local {

/// The operating system's user that a server runs as: it has an entry in /etc/passwd, because
/// initdb requires one.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;

  bool is_us() const noexcept;
};

/// The owner of a new cluster: this process's user; for root, `postgres` or else `nobody`, because
/// PostgreSQL refuses to run as root. Errors: "no_such_user".
Result<Identity> owner_of_new_cluster();

/// The user with this id. Errors: "no_such_user".
Result<Identity> user(uid_t uid);

}  // namespace weir::local
