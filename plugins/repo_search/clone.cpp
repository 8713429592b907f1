#include "clone.hpp"

#include <array>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include <stdlib.h>

namespace repo_search {
namespace {

namespace fs = std::filesystem;

fs::path made_folder() {
  std::string pattern = (fs::temp_directory_path() / "weir-repo_search-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "no temporary folder: " + pattern);
  return pattern;
}

// Counts the clones that were made of each source in this process.
std::uint64_t next_number(const fs::path& source) {
  static std::mutex mutex;
  static std::map<fs::path, std::uint64_t> made;
  const std::scoped_lock lock(mutex);
  return ++made[source];
}

void remove_folder(const fs::path& folder) noexcept {
  std::error_code left_behind;  // a temporary folder: the system's cleanup removes it
  fs::remove_all(folder, left_behind);
}

// All branches and tags under their own names, as the source has them.
constexpr std::array<const char*, 2> everything = {"+refs/heads/*:refs/heads/*",
                                                   "+refs/tags/*:refs/tags/*"};

int mirror(git_remote** made, git_repository* repository, const char*, const char* url, void*) {
  return ::git_remote_create_with_fetchspec(made, repository, "origin", url, everything[0]);
}

}  // namespace

Clone::Clone(fs::path source) : source_(std::move(source)), folder_(made_folder()) {
  try {
    git_clone_options options{};
    check(::git_clone_options_init(&options, GIT_CLONE_OPTIONS_VERSION), "cannot clone");
    options.bare = 1;
    options.remote_cb = mirror;
    git_repository* cloned = nullptr;
    check(::git_clone(&cloned, source_.c_str(), folder_.c_str(), &options),
          "cannot clone " + source_.string());
    const Repository owned(cloned);
  } catch (...) {
    remove_folder(folder_);
    throw;
  }
  number_ = next_number(source_);
}

Clone::~Clone() { remove_folder(folder_); }

std::optional<std::string> Clone::commit_of(const std::string& ref) {
  git_repository* opened = nullptr;
  check(::git_repository_open(&opened, source_.c_str()), "cannot open " + source_.string());
  const Repository source(opened);
  const std::string wanted = ref + "^{commit}";
  git_object* found = nullptr;
  const int outcome = ::git_revparse_single(&found, source.get(), wanted.c_str());
  if (outcome == GIT_ENOTFOUND || outcome == GIT_EINVALIDSPEC || outcome == GIT_EPEEL)
    return std::nullopt;
  check(outcome, "cannot look up " + ref + " in " + source_.string());
  const Object commit(found);
  const git_oid* const id = ::git_object_id(commit.get());

  const std::scoped_lock one_at_a_time(fetching_);
  const auto is_here = [&] {
    const Repository clone = open_bare(folder_);
    git_object* here = nullptr;
    const int looked = ::git_object_lookup(&here, clone.get(), id, GIT_OBJECT_COMMIT);
    const Object owned(here);
    if (looked != GIT_ENOTFOUND) check(looked, "cannot read the clone " + folder_.string());
    return looked != GIT_ENOTFOUND;
  };
  if (!is_here()) fetch();
  if (!is_here())
    throw GitError("no branch or tag of " + source_.string() + " leads to the commit " +
                   to_string(*id));
  return to_string(*id);
}

void Clone::fetch() {
  const Repository clone = open_bare(folder_);
  git_remote* made = nullptr;
  check(::git_remote_create_anonymous(&made, clone.get(), source_.c_str()),
        "cannot fetch from " + source_.string());
  const Remote remote(made);
  std::array<char*, 2> specs = {const_cast<char*>(everything[0]), const_cast<char*>(everything[1])};
  const git_strarray wanted = {specs.data(), specs.size()};
  check(::git_remote_fetch(remote.get(), &wanted, nullptr, nullptr),
        "cannot fetch from " + source_.string());
}

}  // namespace repo_search
