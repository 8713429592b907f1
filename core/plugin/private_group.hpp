#pragma once
#include <functional>
#include <map>
#include <utility>

#include <sys/types.h>

namespace weir {

/// Whether a group is a user's own: the user's primary group, with no other member, and nobody
/// else's primary group. What such a group may write, that user alone may write. A group or user
/// the system has no entry for is nobody's own.  [any thread]
///
/// Asks the system's users one by one, where it has to: keep the answer.
bool is_private_group(uid_t user, gid_t group);

/// Answers that were asked for once.  [one thread]
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
