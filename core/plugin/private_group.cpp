#include "plugin/private_group.hpp"

#include <cerrno>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <grp.h>
#include <pwd.h>

namespace weir {
namespace {

constexpr std::size_t entry_bytes_max = std::size_t{1} << 20U;

// Calls one of the system's functions that fill an entry of unknown size; false when there is none.
template <class Entry, class Query>
bool read_entry(Entry& entry, std::vector<char>& text, Query&& query) {
  text.resize(4096);
  for (;;) {
    Entry* found = nullptr;
    const int error = query(&entry, text.data(), text.size(), &found);
    if (error != ERANGE || text.size() >= entry_bytes_max) return error == 0 && found != nullptr;
    text.resize(text.size() * 2);
  }
}

std::mutex listing;  // a process has one position in the list of users

bool is_primary_group_of_others(uid_t user, gid_t group) {
  const std::scoped_lock one_at_a_time(listing);
  ::setpwent();
  passwd each{};
  std::vector<char> text;
  bool found = false;
  while (!found &&
         read_entry(each, text, [](passwd* entry, char* room, std::size_t size, passwd** result) {
           return ::getpwent_r(entry, room, size, result);
         }))
    found = each.pw_gid == group && each.pw_uid != user;
  ::endpwent();
  return found;
}

}  // namespace

bool is_private_group(uid_t user, gid_t group) {
  passwd owner{};
  std::vector<char> owner_text;
  if (!read_entry(owner, owner_text,
                  [&](passwd* entry, char* room, std::size_t size, passwd** result) {
                    return ::getpwuid_r(user, entry, room, size, result);
                  }))
    return false;
  if (owner.pw_gid != group) return false;
  ::group members{};
  std::vector<char> text;
  if (!read_entry(members, text,
                  [&](::group* entry, char* room, std::size_t size, ::group** result) {
                    return ::getgrgid_r(group, entry, room, size, result);
                  }))
    return false;
  for (char** member = members.gr_mem; *member != nullptr; ++member)
    if (std::string_view(*member) != owner.pw_name) return false;
  return !is_primary_group_of_others(user, group);
}

bool PrivateGroups::contains(uid_t user, gid_t group) {
  const auto [known, is_new] = known_.try_emplace({user, group}, false);
  if (is_new) known->second = lookup_(user, group);
  return known->second;
}

}  // namespace weir
