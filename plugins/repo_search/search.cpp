#include "search.hpp"

#include <algorithm>

#include "utf8.hpp"

namespace repo_search {
namespace {

Tree tree_of(const Repository& repository, const std::string& commit) {
  const git_oid id = oid_from(commit);
  git_object* found = nullptr;
  check(::git_object_lookup(&found, repository.get(), &id, GIT_OBJECT_COMMIT),
        "cannot read commit " + commit);
  const Object owned(found);
  git_object* tree = nullptr;
  check(::git_object_peel(&tree, found, GIT_OBJECT_TREE), "cannot read the tree of " + commit);
  return Tree(reinterpret_cast<git_tree*>(tree));
}

int add_file(const char* root, const git_tree_entry* entry, void* into) noexcept {
  const git_filemode_t mode = ::git_tree_entry_filemode(entry);
  if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return 0;
  std::string path = std::string(root) + ::git_tree_entry_name(entry);
  if (is_utf8(path))
    static_cast<std::vector<File>*>(into)->push_back(
        {std::move(path), to_string(*::git_tree_entry_id(entry))});
  return 0;
}

std::uint64_t count_in(std::string_view line, std::string_view text) {
  std::uint64_t count = 0;
  for (std::size_t at = line.find(text); at != line.npos; at = line.find(text, at + text.size()))
    ++count;
  return count;
}

}  // namespace

std::vector<File> files_of(const Repository& repository, const std::string& commit) {
  std::vector<File> files;
  const Tree tree = tree_of(repository, commit);
  check(::git_tree_walk(tree.get(), GIT_TREEWALK_PRE, add_file, &files),
        "cannot list the files of " + commit);
  std::ranges::sort(files, {}, &File::path);
  return files;
}

std::vector<Hit> hits_in(std::string_view content, std::string_view text) {
  std::vector<Hit> hits;
  std::uint64_t number = 1;
  std::size_t counted_to = 0;  // up to here, line ends are in `number`
  for (std::size_t at = content.find(text); at != content.npos;) {
    const std::size_t before = content.rfind('\n', at);
    const std::size_t begin = before == content.npos ? 0 : before + 1;
    const std::size_t end = std::min(content.find('\n', at), content.size());
    const std::string_view line = content.substr(begin, end - begin);
    number += static_cast<std::uint64_t>(
        std::ranges::count(content.substr(counted_to, begin - counted_to), '\n'));
    counted_to = begin;
    hits.push_back({number, count_in(line, text), as_utf8(line.substr(0, Hit::text_bytes_max))});
    at = content.find(text, end);
  }
  return hits;
}

Searched search_files(const Repository& repository, const std::vector<File>& group,
                      std::string_view text, const std::function<void()>& pause) {
  Searched searched;
  for (const File& file : group) {
    pause();
    const git_oid id = oid_from(file.blob);
    git_blob* read = nullptr;
    check(::git_blob_lookup(&read, repository.get(), &id), "cannot read " + file.path);
    const Blob blob(read);
    if (::git_blob_is_binary(read) != 0) {
      ++searched.binary;
      continue;
    }
    ++searched.files;
    const std::string_view content(static_cast<const char*>(::git_blob_rawcontent(read)),
                                   static_cast<std::size_t>(::git_blob_rawsize(read)));
    FileHits hits{.path = file.path, .count = 0, .lines = hits_in(content, text)};
    for (const Hit& hit : hits.lines) hits.count += hit.count;
    if (hits.count > 0) searched.hits.push_back(std::move(hits));
  }
  return searched;
}

}  // namespace repo_search
