#include "git.hpp"

#include <array>

namespace repo_search {

int check(int code, const std::string& doing) {
  if (code >= 0) return code;
  const git_error* const error = ::git_error_last();
  const std::string why = error != nullptr && error->message != nullptr
                              ? error->message
                              : "libgit2 gave " + std::to_string(code);
  throw GitError(doing + ": " + why);
}

Repository open_bare(const std::string& folder) {
  git_repository* opened = nullptr;
  check(::git_repository_open_bare(&opened, folder.c_str()), "cannot open the clone " + folder);
  return Repository(opened);
}

std::string to_string(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  ::git_oid_tostr(text.data(), text.size(), &id);
  return text.data();
}

git_oid oid_from(const std::string& hex) {
  git_oid id;
  check(::git_oid_fromstr(&id, hex.c_str()), "no object id: " + hex);
  return id;
}

}  // namespace repo_search
