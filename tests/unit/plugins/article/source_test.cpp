#include "plugins/article/source.hpp"

#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/article/convert.hpp"
#include "plugins/article/text_document.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugins/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using article::Block;
using article::clean_text;
using article::convert;
using article::Document;
using article::kind_of;
using article::read_source;
using article::text_document;
using weir::testing::ChildProcess;
using weir::testing::TemporaryFolder;
using namespace std::string_literals;

std::string source_refusal(const fs::path& file) {
  const auto text = read_source(file);
  return text ? "read" : text.error();
}

}  // namespace

TEST_SUITE("plugins: source") {
  TEST_CASE("a text is UTF-8 with plain line ends and no control characters") {
    CHECK(clean_text("\xEF\xBB\xBF"
                     "a\r\nb\rc\n\rd\fe") == "a\nb\nc\n\nd\ne");
    CHECK(clean_text("a\tb\x01\x1B[0m\x7F\u0085\uFFFE\u00A0c \U0001F30A") ==
          "a\tb[0m c \U0001F30A");
    CHECK(clean_text("") == "");
  }

  TEST_CASE("bytes that are no UTF-8 are taken for windows-1252") {
    CHECK(clean_text("caf\xE9 \x93na\xEFve\x94 \x80 \x81") ==
          "caf\u00E9 \u201Cna\u00EFve\u201D \u20AC \uFFFD");
    CHECK(clean_text("\xC0\x80\xED\xA0\x80") == "\u00C0\u20AC\u00ED \u20AC");
  }

  TEST_CASE("what is no source is refused with the reason") {
    const TemporaryFolder folder;
    const std::string path = folder.path();
    REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
    CHECK(source_refusal(folder.path() / "none") ==
          "cannot read the source " + path + "/none: No such file or directory");
    CHECK(source_refusal(folder.path()) == "the source " + path + " is not a regular file");
    CHECK(source_refusal(folder.path() / "pipe") ==
          "the source " + path + "/pipe is not a regular file");
    CHECK(source_refusal(folder.write("a", "ab\0c"s)) ==
          "the source " + path + "/a is not text: byte 2 is NUL");
    CHECK(source_refusal(folder.write("b", "\xFF\xFEh\0i\0"s)) ==
          "the source " + path +
              "/b is not text: byte 3 is NUL (it looks like UTF-16: save it as UTF-8)");
    const std::string largest(article::source_bytes_max, 'x');
    CHECK(source_refusal(folder.write("c", largest)) == "read");
    CHECK(source_refusal(folder.write("c", largest + "x")) ==
          "the source " + path +
              "/c is larger than 2097152 bytes, the most that an article may have");
  }

  TEST_CASE("an unreadable source is refused") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("secret", "text");
    fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_exec);
    fs::permissions(file, fs::perms::none);
    ChildProcess child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
      return source_refusal(file);
    });
    CHECK(child.answer() == "cannot read the source " + file.string() + ": Permission denied");
  }

  TEST_CASE("the kind of a text is told by its ending and else by its content") {
    CHECK(kind_of("a.HTM", "# a") == "html");
    CHECK(kind_of("a.md", "<html>") == "markdown");
    CHECK(kind_of("a.txt", "# a") == "text");
    CHECK(kind_of("a.b.markdown", "") == "markdown");
    CHECK(kind_of("a", "\n <!DOCTYPE HTML><p>") == "html");
    CHECK(kind_of("a.page", "<p>a</p>") == "html");
    CHECK(kind_of("README", "a\n## b\n") == "markdown");
    CHECK(kind_of(".md", "see [a](b)") == "markdown");
    CHECK(kind_of(".md", "a") == "text");
    CHECK(kind_of("a", "<3 is less than 4") == "text");
    CHECK(kind_of("a", "") == "text");
  }

  TEST_CASE("a plain text has paragraphs and perhaps a title") {
    CHECK(text_document("A  title\n\none\ntwo\n \n\nthree") ==
          Document{"A title",
                   {{"heading", "A title"}, {"paragraph", "one two"}, {"paragraph", "three"}}});
    CHECK(text_document("No title.\n\nb") ==
          Document{"", {{"paragraph", "No title."}, {"paragraph", "b"}}});
    CHECK(text_document("two\nlines\n\nb") ==
          Document{"", {{"paragraph", "two lines"}, {"paragraph", "b"}}});
    CHECK(text_document("") == Document{});
  }

  TEST_CASE("a title is never empty and is not said twice") {
    CHECK(convert("notes.txt", "A\n\nb c") == Document{"A", {{"paragraph", "b c"}}});
    CHECK(convert("notes.txt", "") == Document{"notes", {}});
    CHECK(convert("a.html", "<title>A</title><h1>B</h1>") == Document{"A", {{"heading", "B"}}});
    CHECK(convert("a.md", "# A\n# A") == Document{"A", {{"heading", "A"}}});
  }
}
