#pragma once
#include <functional>
#include <map>
#include <utility>

#include <sys/types.h>

namespace weir {

/// Whether a group belongs to a user alone: it is the user's primary group, has no other member,
/// and is no other user's primary group. Then only that user can write what the group can write.
/// False for a group or user without an entry in the system.  [any thread]
///
/// May go through all users of the system: keep the answer.
bool is_private_group(uid_t user, gid_t group);

/// Remembers each answer.  [one thread]
class PrivateGroups {
 public:
  using Lookup = std::function<bool(uid_t user, gid_t group)>;

  explicit PrivateGroups(Lookup lookup = is_private_group) : lookup_(std::move(lookup)) {}

  bool contains(uid_t user, gid_t group);

 private:
  Lookup lookup_;
  std::map<std::pair<uid_t, gid_t>, bool> known_;
};

}  // namespace weir
