#include "plugins/article/page.hpp"

#include <chrono>
#include <set>
#include <string>
#include <system_error>

#include <doctest/doctest.h>
#include <unistd.h>

#include "plugins/article/page_file.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugins/article/contents.hpp"
#include "unit/plugins/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using article::page;
using article::page_name;
using article::write_page;
using weir::testing::ChildProcess;
using weir::testing::contents;
using weir::testing::TemporaryFolder;

std::set<std::string> names(const fs::path& folder) {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) found.insert(entry.path().filename());
  return found;
}

std::string folder_refusal(const fs::path& folder) {
  const auto made = article::make_folder(folder);
  return made ? "usable" : made.error();
}

}  // namespace

TEST_SUITE("plugins: page") {
  TEST_CASE("a page shows everything in order and escapes it") {
    const article::Document document{"A < B & \"C\"",
                                     {{"heading", "<h>"},
                                      {"paragraph", "p & q"},
                                      {"item", "one"},
                                      {"item", "two"},
                                      {"code", "\n if (a < b)\n"},
                                      {"item", "three"}}};
    std::string html = page({document, {"First <1>.", "Second."}, {"weir", "a&b"}, "<x>.md"});
    const std::size_t style = html.find("<style>");
    html.erase(style, html.find("</style>\n") + 9 - style);
    CHECK(html ==
          "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<title>A &lt; B &amp; &quot;C&quot;</title>\n</head>\n<body>\n<article>\n"
          "<h1>A &lt; B &amp; &quot;C&quot;</h1>\n"
          "<div class=\"summary\">\n<p>First &lt;1&gt;. Second.</p>\n</div>\n"
          "<p class=\"keywords\">weir \u00B7 a&amp;b</p>\n"
          "<h2>&lt;h&gt;</h2>\n<p>p &amp; q</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
          "<pre><code>\n if (a &lt; b)\n</code></pre>\n<ul>\n<li>three</li>\n</ul>\n"
          "</article>\n<footer>From &lt;x&gt;.md</footer>\n</body>\n</html>\n");
  }

  TEST_CASE("an empty document is a page with a title") {
    const std::string html = page({{"T", {}}, {}, {}, "t.txt"});
    CHECK(html.find("summary\"") == html.npos);
    CHECK(html.find("keywords\"") == html.npos);
    CHECK(html.find("<article>\n<h1>T</h1>\n</article>") != html.npos);
  }

  TEST_CASE("sources of one folder get pages of their own") {
    CHECK(page_name("a.html") == "a.html");
    CHECK(page_name("a.HTML") == "a.HTML");
    CHECK(page_name("a.htm") == "a.htm.html");
    CHECK(page_name("a.md") == "a.md.html");
    CHECK(page_name("a") == "a.html");
  }

  TEST_CASE("a page replaces the one before and leaves nothing else") {
    const TemporaryFolder folder;
    write_page(folder.path(), "a.html", "old");
    write_page(folder.path(), "a.html", "new");
    CHECK(contents(folder.path() / "a.html") == "new");
    CHECK(names(folder.path()) == std::set<std::string>{"a.html"});
  }

  TEST_CASE("copies left by crashes go once they are an hour old and others stay") {
    const TemporaryFolder folder;
    const auto two_hours_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
    for (const char* name : {".a.html.1-2", ".b.html.1-2", ".a.html", "a.html.1-2"}) {
      fs::last_write_time(folder.write(name, "old"), two_hours_ago);
    }
    folder.write(".a.html.3-4", "of a writer that may still live");
    write_page(folder.path(), "a.html", "new");
    CHECK(names(folder.path()) ==
          std::set<std::string>{".a.html", ".a.html.3-4", ".b.html.1-2", "a.html", "a.html.1-2"});
  }

  TEST_CASE("a page that cannot be written leaves the old one and no copy") {
    const TemporaryFolder folder;
    folder.write("a.html/file", "");
    CHECK_THROWS_WITH_AS(
        write_page(folder.path(), "a.html", "new"),
        ("cannot write " + (folder.path() / "a.html").string() + ": Is a directory").c_str(),
        std::system_error);
    CHECK(names(folder.path()) == std::set<std::string>{"a.html"});
  }

  TEST_CASE(
      "a folder for pages is made when its parent exists and refused with the reason otherwise") {
    const TemporaryFolder folder;
    const std::string path = folder.path();
    const fs::path file = folder.write("file", "");
    CHECK(folder_refusal(folder.path() / "pages") == "usable");
    CHECK(folder_refusal(folder.path() / "pages") == "usable");
    CHECK(folder_refusal(folder.path() / "none" / "pages") ==
          "output_folder " + path + "/none/pages is no folder to write to: " +
              "No such file or directory (the folder above it must exist)");
    CHECK(folder_refusal(file) ==
          "output_folder " + path + "/file is no folder to write to: Not a directory");
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    ChildProcess child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
      return folder_refusal(folder.path() / "other");
    });
    CHECK(child.answer() ==
          "output_folder " + path + "/other is no folder to write to: Permission denied");
    fs::permissions(folder.path(), fs::perms::owner_all);
  }
}
