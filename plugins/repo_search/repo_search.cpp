#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/flow.hpp>

#include "clone.hpp"
#include "git.hpp"
#include "search.hpp"

namespace repo_search {

WEIR_JSON(File, path, blob)
WEIR_JSON(Hit, line, count, text)
WEIR_JSON(FileHits, path, count, lines)

namespace steps {

namespace fs = std::filesystem;

struct Input {
  std::string repository;
  std::string text;
  std::optional<std::string> ref;  // else HEAD
};
WEIR_JSON(Input, repository, text, ref)

/// A task of `search`: some files of the commit. There is always one, if only to name the commit.
struct Group {
  std::string commit;
  std::vector<File> files;
};
WEIR_JSON(Group, commit, files)

struct Found {
  std::string commit;
  std::uint64_t clone = 0;  // Clone::number
  std::uint64_t files = 0;
  std::uint64_t binary = 0;
  std::vector<FileHits> hits;
};
WEIR_JSON(Found, commit, clone, files, binary, hits)

struct Searched {
  std::vector<Found> search;
};
WEIR_JSON(Searched, search)

struct Report {
  std::string commit;
  std::uint64_t clones = 0;  // made of the repository by this worker process
  std::uint64_t files = 0;
  std::uint64_t binary = 0;
  std::uint64_t count = 0;
  std::vector<FileHits> hits;
};
WEIR_JSON(Report, commit, clones, files, binary, count, hits)

constexpr std::size_t group_files = 256;

// One clone of a repository for all runs in this worker process.
static weir::Resource<Clone> clone_of(const weir::Context& context, const Input& input) {
  const fs::path source = fs::path(input.repository).lexically_normal();
  return context.resource<Clone>(source.string(), [&] {
    context.info("cloning " + source.string());
    return Clone(source);
  });
}

static std::vector<Group> resolve(weir::Context& context, const Input& input) {
  if (input.text.empty() || input.text.contains('\n'))
    throw weir::permanent("bad_text", "text is to be one line, and not empty");
  if (!fs::path(input.repository).is_absolute())
    throw weir::permanent("bad_repository", "repository is to be the absolute path of a folder");
  const Git git;
  const auto clone = clone_of(context, input);
  const std::string ref = input.ref.value_or("HEAD");
  const auto commit = clone->commit_of(ref);
  if (!commit) throw weir::permanent("no_commit", input.repository + " has no commit " + ref);
  const std::vector<File> files = files_of(open_bare(clone->folder()), *commit);
  std::vector<Group> groups;
  for (std::size_t at = 0; at < files.size() || groups.empty(); at += group_files) {
    const auto first = files.begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = std::min(group_files, files.size() - at);
    groups.push_back({*commit, {first, first + static_cast<std::ptrdiff_t>(size)}});
  }
  return groups;
}

static Found search(weir::Context& context, const Group& group) {
  const auto input = context.flow_input<Input>();
  const Git git;
  const auto clone = clone_of(context, input);
  repo_search::Searched searched =
      search_files(open_bare(clone->folder()), group.files, input.text, [&] { context.check(); });
  return {group.commit, clone->number(), searched.files, searched.binary, std::move(searched.hits)};
}

static Report report(weir::Context&, Searched searched) {
  Report report;
  for (Found& found : searched.search) {
    report.commit = std::move(found.commit);
    report.clones = std::max(report.clones, found.clone);
    report.files += found.files;
    report.binary += found.binary;
    for (FileHits& hits : found.hits) {
      report.count += hits.count;
      report.hits.push_back(std::move(hits));
    }
  }
  return report;
}

constexpr std::int64_t largest_output = 256 * 1024 * 1024;

WEIR_FLOW(repo_search, "examples.RepoSearch",
          step<resolve>("resolve").timeout(30min).max_output(largest_output),
          map<search>("search").over("resolve").timeout(10min).max_output(largest_output),
          step<report>("report").after("search").timeout(10min).max_output(largest_output))
WEIR_PLUGIN(repo_search)

}  // namespace steps
}  // namespace repo_search
