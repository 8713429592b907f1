#include <string>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/article/contents.hpp"
#include "unit/plugins/flow_run.hpp"

namespace {

namespace fs = std::filesystem;
using weir::testing::contents;
using weir::testing::FlowRun;
using weir::testing::TemporaryFolder;

const fs::path samples = WEIR_SOURCE_DIR "/plugins/article/samples";

std::string run(const fs::path& source, const fs::path& folder) {
  return FlowRun("{\"source\": \"" + source.string() + "\", \"output_folder\": \"" +
                 folder.string() + "\"}")
      .result();
}

bool shows(const std::string& html, const std::string& part) {
  return html.find(part) != html.npos;
}

}  // namespace

TEST_SUITE("plugins: article") {
  TEST_CASE("each sample becomes a page") {
    const TemporaryFolder folder;
    struct Sample {
      std::string file, page, title, keyword;
    };
    for (const auto& [file, name, title, keyword] :
         {Sample{"how-a-weir-works.html", "how-a-weir-works.html", "How a weir works", "weir"},
          Sample{"reading-a-river.md", "reading-a-river.md.html", "Reading a river", "river"},
          Sample{"the-mill-race.txt", "the-mill-race.txt.html", "The mill race", "sluice"}}) {
      CAPTURE(file);
      const std::string result = run(samples / file, folder.path());
      const fs::path path = folder.path() / name;
      const std::string html = contents(path);
      CHECK(result == "{\"page\":\"" + path.string() + "\",\"title\":\"" + title +
                          "\",\"bytes\":" + std::to_string(html.size()) + "}");
      CHECK(shows(html, "<title>" + title + "</title>"));
      CHECK(shows(html, "<h1>" + title + "</h1>"));
      CHECK_FALSE(shows(html, "<h2>" + title + "</h2>"));
      CHECK(shows(html, "<div class=\"summary\">\n<p>"));
      const std::size_t keywords = html.find("<p class=\"keywords\">");
      REQUIRE(keywords != html.npos);
      CHECK(shows(html.substr(keywords, html.find("</p>", keywords) - keywords), keyword));
      CHECK(shows(html, "<footer>From " + file + "</footer>"));
    }
  }

  TEST_CASE("a source that cannot be read fails for good") {
    const TemporaryFolder folder;
    const fs::path none = folder.path() / "none";
    CHECK(run(none, folder.path()) == "fetch: bad_source: cannot read the source " + none.string() +
                                          ": No such file or directory");
  }

  TEST_CASE("a folder that cannot hold pages fails for good") {
    const TemporaryFolder folder;
    CHECK(run(samples / "the-mill-race.txt", folder.path() / "a" / "b") ==
          "publish: bad_output_folder: output_folder " + (folder.path() / "a" / "b").string() +
              " is no folder to write to: No such file or directory (the folder above it must "
              "exist)");
  }

  TEST_CASE("a page never replaces its own source") {
    const TemporaryFolder folder;
    const fs::path source = folder.write("a.html", "<p>text");
    CHECK(run(source, folder.path()) ==
          "publish: page_is_source: the page " + source.string() +
              " would replace its own source: name another output_folder");
    CHECK(contents(source) == "<p>text");
  }
}
