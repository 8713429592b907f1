#include "plugins/text_report/file_count.hpp"

#include <stdexcept>
#include <string>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using text_report::count_file;
using text_report::FileCount;
using weir::testing::ChildProcess;
using weir::testing::TemporaryFolder;

std::string trouble(const fs::path& file) {
  const auto count = count_file(file, [] {});
  return count ? "counted" : count.error();
}

}  // namespace

TEST_SUITE("plugins: file count") {
  TEST_CASE("a file is counted whole though it is read in pieces") {
    const TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 50'000; ++i) text += "river weir\n";  // pieces end within words
    CHECK(count_file(folder.write("large", text), [] {}) ==
          FileCount{100'000, 50'000, 550'000, {{"river", 50'000}, {"weir", 50'000}}});
    CHECK(count_file(folder.write("empty", ""), [] {}) == FileCount{});
  }

  TEST_CASE("what is no text is told with the place of the first NUL") {
    const TemporaryFolder folder;
    using namespace std::string_literals;
    CHECK(trouble(folder.write("a", "ab\0c\0"s)) == "not text: byte 2 is NUL");
    CHECK(trouble(folder.write("b", std::string(70'000, 'x') + "\0"s)) ==
          "not text: byte 70000 is NUL");
  }

  TEST_CASE("more than a million different terms are told to be no text") {
    const TemporaryFolder folder;
    std::string text;
    for (int i = 0; i <= 1'000'000; ++i) {
      for (int rest = i; rest > 0; rest /= 26) text += static_cast<char>('a' + rest % 26);
      text += "z ";
    }
    CHECK(trouble(folder.write("noise", text)) == "not text: more than 1000000 different terms");
  }

  TEST_CASE("a file that is gone or something else by now is told so") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("file", "text");
    fs::create_symlink(file, folder.path() / "link");
    fs::create_directory(folder.path() / "folder");
    REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
    CHECK(trouble(folder.path() / "none") == "it vanished while the report was made");
    CHECK(trouble(file / "below") == "it vanished while the report was made");
    CHECK(trouble(folder.path() / "link") == "it became a symbolic link while the report was made");
    CHECK(trouble(folder.path() / "pipe") == "it is no longer a regular file");
    CHECK(trouble(folder.path() / "folder") == "it is no longer a regular file");
  }

  TEST_CASE("an unreadable file is told to be so") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("secret", "text");
    fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_exec);
    fs::permissions(file, fs::perms::none);
    ChildProcess child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
      return trouble(file);
    });
    CHECK(child.answer() == "cannot be read: Permission denied");
  }

  TEST_CASE("a lack of descriptors is thrown since the file is not at fault") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("file", "text");
    ChildProcess child([&]() -> std::string {
      ::rlimit old{};
      ::getrlimit(RLIMIT_NOFILE, &old);
      const ::rlimit none{0, old.rlim_max};
      ::setrlimit(RLIMIT_NOFILE, &none);
      try {
        count_file(file, [] {});
      } catch (const std::system_error& error) {
        ::setrlimit(RLIMIT_NOFILE, &old);
        return error.code() == std::errc::too_many_files_open ? "too many" : "another error";
      }
      return "counted";
    });
    CHECK(child.answer() == "too many");
  }

  TEST_CASE("the work can be ended between pieces") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("file", std::string(1'000'000, 'x'));
    int pieces = 0;
    const auto stop_at_third = [&] {
      if (++pieces == 3) throw std::runtime_error("stop");
    };
    CHECK_THROWS_WITH(count_file(file, stop_at_third), "stop");
  }
}
