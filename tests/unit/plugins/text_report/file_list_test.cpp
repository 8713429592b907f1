#include "plugins/text_report/file_list.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/text_report/shown_name.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugins/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using text_report::list_files;
using text_report::shown_name;
using weir::testing::ChildProcess;
using weir::testing::TemporaryFolder;

/// One line a file: its path, and its trouble if it has one.
std::string listed(const fs::path& folder) {
  const auto files = list_files(folder, [] {});
  if (!files) return files.error();
  std::string lines;
  for (const auto& file : *files) {
    lines += file.path + (file.trouble.empty() ? "" : ": " + file.trouble) + "\n";
  }
  return lines;
}

}  // namespace

TEST_SUITE("plugins: file list") {
  TEST_CASE("every regular file at any depth is listed in the order of its bytes") {
    const TemporaryFolder folder;
    for (const char* name : {"b", "a/z", "a.txt", "a/b/c", "B", ".hidden", "\xC3\xA9", "a b\nc"}) {
      folder.write(name, "");
    }
    CHECK(listed(folder.path()) == ".hidden\nB\na b\nc\na.txt\na/b/c\na/z\nb\n\xC3\xA9\n");
  }

  TEST_CASE("links are not followed and what is no file is passed over") {
    const TemporaryFolder folder;
    folder.write("real/file", "");
    fs::create_symlink("file", folder.path() / "real" / "link");
    fs::create_directory_symlink("real", folder.path() / "linked");
    fs::create_directory_symlink("..", folder.path() / "real" / "loop");
    fs::create_symlink("nowhere", folder.path() / "dangling");
    REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
    CHECK(listed(folder.path()) == "real/file\n");
    CHECK(listed(folder.path() / "linked") == "file\n");  // the folder asked for may be a link
  }

  TEST_CASE("a name that is no UTF-8 is listed escaped with its trouble") {
    const TemporaryFolder folder;
    folder.write("caf\xE9", "");
    folder.write("b\xFF/ok", "");
    CHECK(listed(folder.path()) ==
          "b\\xFF/ok: its name is not valid UTF-8\ncaf\\xE9: its name is not valid UTF-8\n");
  }

  TEST_CASE("an unreadable folder below is listed with its trouble") {
    const TemporaryFolder folder;
    folder.write("open/file", "");
    folder.write("closed/file", "");
    fs::permissions(folder.path(), fs::perms::all);
    fs::permissions(folder.path() / "open", fs::perms::all);
    fs::permissions(folder.path() / "closed", fs::perms::none);
    ChildProcess child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
      return listed(folder.path());
    });
    CHECK(child.answer() == "closed: cannot list this folder: Permission denied\nopen/file\n");
    fs::permissions(folder.path() / "closed", fs::perms::all);
  }

  TEST_CASE("a folder that cannot be listed is an error that names it") {
    const TemporaryFolder folder;
    const std::string file = folder.write("file", "");
    CHECK(listed(folder.path() / "none") == "cannot list the folder " +
                                                (folder.path() / "none").string() +
                                                ": No such file or directory");
    CHECK(listed(file) == "cannot list the folder " + file + ": Not a directory");
    CHECK(listed("") == "folder is empty: name the folder to report on");
  }

  TEST_CASE("names of valid UTF-8 are shown as they are and every other byte escaped") {
    const std::string valid = "a\x01\x7F \\x \xC2\x80 \xE0\xA0\x80 \xED\x9F\xBF \xF4\x8F\xBF\xBF";
    CHECK(shown_name(valid) == valid);
    CHECK(shown_name("\x80") == "\\x80");
    CHECK(shown_name("\xC0\x80") == "\\xC0\\x80");                      // overlong
    CHECK(shown_name("\xE0\x9F\xBF") == "\\xE0\\x9F\\xBF");             // overlong
    CHECK(shown_name("\xED\xA0\x80") == "\\xED\\xA0\\x80");             // a surrogate
    CHECK(shown_name("\xF4\x90\x80\x80") == "\\xF4\\x90\\x80\\x80");    // past U+10FFFF
    CHECK(shown_name("\xE2\x82z\xE2\x82") == "\\xE2\\x82z\\xE2\\x82");  // cut short
  }
}
