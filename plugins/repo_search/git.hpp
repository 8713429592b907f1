#pragma once
#include <memory>
#include <stdexcept>
#include <string>

#include <git2.h>

namespace repo_search {

/// The message of libgit2, preceded by the action that failed.
class GitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws GitError when `code` says that a call of libgit2 failed; else returns it.
int check(int code, const std::string& doing);

/// libgit2 is initialised while an object of this class lives.  [any thread]
class Git {
 public:
  Git() { ::git_libgit2_init(); }
  ~Git() { ::git_libgit2_shutdown(); }
  Git(const Git&) = delete;
  Git& operator=(const Git&) = delete;
};

/// An object of libgit2 and the function that frees it.
template <class Object, void (*release)(Object*)>
struct Releasing {
  void operator()(Object* object) const noexcept { release(object); }
};
template <class Object, void (*release)(Object*)>
using Owned = std::unique_ptr<Object, Releasing<Object, release>>;

using Repository = Owned<git_repository, &git_repository_free>;
using Object = Owned<git_object, &git_object_free>;
using Tree = Owned<git_tree, &git_tree_free>;
using Blob = Owned<git_blob, &git_blob_free>;
using Remote = Owned<git_remote, &git_remote_free>;

/// A handle on a bare repository, for use by one thread.
Repository open_bare(const std::string& folder);

std::string to_string(const git_oid& id);
git_oid oid_from(const std::string& hex);

}  // namespace repo_search
