#include "plugins/repo_search/search.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <stdlib.h>

#include "plugins/repo_search/clone.hpp"
#include "plugins/repo_search/utf8.hpp"
#include "unit/plugins/repo_search/test_repository.hpp"

using repo_search::as_utf8;
using repo_search::Clone;
using repo_search::Hit;
using repo_search::hits_in;

namespace {

// While it lives, nobody else puts temporary files where this process does.
class OwnTemporaryFolder {
 public:
  OwnTemporaryFolder() {
    if (const char* usual = std::getenv("TMPDIR")) usual_ = usual;
    ::setenv("TMPDIR", folder_.path().c_str(), 1);
  }
  ~OwnTemporaryFolder() { usual_ ? ::setenv("TMPDIR", usual_->c_str(), 1) : ::unsetenv("TMPDIR"); }
  OwnTemporaryFolder(const OwnTemporaryFolder&) = delete;
  OwnTemporaryFolder& operator=(const OwnTemporaryFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return folder_.path(); }

 private:
  weir::testing::TemporaryFolder folder_;
  std::optional<std::string> usual_;
};

}  // namespace

TEST_SUITE("plugins: repo_search parts") {
  TEST_CASE("lines are counted from one and hits do not overlap") {
    const std::vector<Hit> hits = hits_in("\naaa\nb\n\nxaaaa", "aa");
    REQUIRE(hits.size() == 2);
    CHECK(hits[0].line == 2);
    CHECK(hits[0].count == 1);
    CHECK(hits[1].line == 5);
    CHECK(hits[1].count == 2);
    CHECK(hits[1].text == "xaaaa");
    CHECK(hits_in("", "a").empty());
  }

  TEST_CASE("a long line is cut and what is no UTF-8 is replaced") {
    const std::string line(1'000, 'a');
    CHECK(hits_in(line, "a").front().text.size() == Hit::text_bytes_max);
    CHECK(as_utf8("caf\xE9 \xC3\xA9") == "caf\xEF\xBF\xBD \xC3\xA9");
    CHECK(as_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  }

  TEST_CASE("a clone is gone with its object and leaves nothing when it fails") {
    weir::testing::TestRepository repository;
    repository.commit({{"a.txt", "old\n"}});
    const OwnTemporaryFolder temporary;
    {
      const Clone clone(repository.path());
      CHECK(clone.folder().parent_path() == temporary.path());
      CHECK(std::filesystem::exists(clone.folder() / "HEAD"));
    }
    CHECK(std::filesystem::is_empty(temporary.path()));
    CHECK_THROWS_AS(Clone("/nowhere"), repo_search::GitError);
    CHECK(std::filesystem::is_empty(temporary.path()));
  }

  TEST_CASE("clones are counted by what they are of") {
    weir::testing::TestRepository one, other;
    one.commit({});
    other.commit({});
    CHECK(Clone(one.path()).number() == 1);
    CHECK(Clone(one.path()).number() == 2);
    CHECK(Clone(other.path()).number() == 1);
  }
}
