#pragma once
#include <filesystem>
#include <map>
#include <string>

#include <git2.h>

#include "plugins/repo_search/git.hpp"
#include "support/temporary_folder.hpp"

namespace weir::testing {

/// A bare repository in a folder of its own, with one branch, `main`.
class TestRepository {
 public:
  TestRepository() {
    using repo_search::check;
    git_repository_init_options options{};
    check(::git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION),
          "init");
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
    options.initial_head = "main";
    git_repository* made = nullptr;
    check(::git_repository_init_ext(&made, folder_.path().c_str(), &options), "init");
    repository_.reset(made);
  }

  std::filesystem::path path() const { return folder_.path(); }

  /// A commit on main that holds exactly these files, none of them in a folder. Gives its id.
  std::string commit(const std::map<std::string, std::string>& files) {
    using repo_search::check;
    git_repository* const repository = repository_.get();
    git_treebuilder* builder = nullptr;
    check(::git_treebuilder_new(&builder, repository, nullptr), "treebuilder");
    const repo_search::Owned<git_treebuilder, &git_treebuilder_free> owned_builder(builder);
    for (const auto& [name, content] : files) {
      git_oid blob;
      check(::git_blob_create_from_buffer(&blob, repository, content.data(), content.size()),
            "blob");
      check(::git_treebuilder_insert(nullptr, builder, name.c_str(), &blob, GIT_FILEMODE_BLOB),
            "insert");
    }
    git_oid tree_id;
    check(::git_treebuilder_write(&tree_id, builder), "tree");
    git_tree* tree = nullptr;
    check(::git_tree_lookup(&tree, repository, &tree_id), "tree");
    const repo_search::Tree owned_tree(tree);
    git_signature* author = nullptr;
    check(::git_signature_new(&author, "A", "a@example.org", 1'700'000'000, 0), "signature");
    const repo_search::Owned<git_signature, &git_signature_free> owned_author(author);
    git_oid id;
    git_commit* parent = nullptr;
    git_oid parent_id;
    const bool has_parent =
        ::git_reference_name_to_id(&parent_id, repository, "refs/heads/main") == 0;
    if (has_parent) check(::git_commit_lookup(&parent, repository, &parent_id), "parent");
    const repo_search::Owned<git_commit, &git_commit_free> owned_parent(parent);
    const git_commit* parents[] = {parent};
    check(::git_commit_create(&id, repository, "refs/heads/main", author, author, nullptr,
                              "a commit", tree, has_parent ? 1 : 0, parents),
          "commit");
    return repo_search::to_string(id);
  }

 private:
  repo_search::Git git_;
  TemporaryFolder folder_;
  repo_search::Repository repository_;
};

}  // namespace weir::testing
