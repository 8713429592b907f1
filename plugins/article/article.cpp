#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/flow.hpp>

#include "convert.hpp"
#include "document.hpp"
#include "keywords.hpp"
#include "page.hpp"
#include "page_file.hpp"
#include "source.hpp"
#include "summary.hpp"

namespace article {

WEIR_JSON(Block, kind, text)
WEIR_JSON(Document, title, blocks)

namespace steps {

namespace fs = std::filesystem;

struct Input {
  std::string source;
  std::string output_folder;
};
WEIR_JSON(Input, source, output_folder)

struct Source {
  std::string name;
  std::string text;
};
WEIR_JSON(Source, name, text)

struct Fetched {
  Source fetch;
};
WEIR_JSON(Fetched, fetch)

struct Converted {
  Document convert;
};
WEIR_JSON(Converted, convert)

struct Ready {
  Document convert;
  std::vector<std::string> summarize;
  std::vector<std::string> keywords;
};
WEIR_JSON(Ready, convert, summarize, keywords)

struct Published {
  std::string page;
  std::string title;
  std::uint64_t bytes;
};
WEIR_JSON(Published, page, title, bytes)

static Source fetch(weir::Context&, const Input& input) {
  const fs::path source = input.source;
  auto text = read_source(source);
  if (!text) throw weir::permanent("bad_source", text.error());
  return {source.filename().string(), *std::move(text)};
}

static Document convert(weir::Context&, const Fetched& input) {
  return article::convert(input.fetch.name, input.fetch.text);
}

static std::vector<std::string> summarize(weir::Context&, const Converted& input) {
  return article::summary(input.convert);
}

static std::vector<std::string> keywords(weir::Context&, const Converted& input) {
  return article::keywords(input.convert);
}

static Published publish(weir::Context& context, const Ready& input) {
  const auto flow_input = context.flow_input<Input>();
  const fs::path source = flow_input.source;
  const fs::path given = flow_input.output_folder;
  if (auto made = make_folder(given); !made)
    throw weir::permanent("bad_output_folder", made.error());
  const fs::path folder = fs::absolute(given).lexically_normal();
  const fs::path target = folder / page_name(source.filename().string());
  std::error_code absent;
  if (fs::equivalent(source, target, absent)) {
    throw weir::permanent("page_is_source",
                          "the page " + target.string() +
                              " would replace its own source: name another output_folder");
  }
  const std::string html =
      page({input.convert, input.summarize, input.keywords, source.filename().string()});
  write_page(folder, target.filename().string(), html);
  return {target.string(), input.convert.title, html.size()};
}

constexpr std::int64_t largest_document = 64 * 1024 * 1024;  // a source of one-letter paragraphs

WEIR_FLOW(article, "examples.Article", step<fetch>("fetch"),
          step<convert>("convert").after("fetch").max_output(largest_document),
          step<summarize>("summarize").after("convert"),
          step<keywords>("keywords").after("convert"),
          step<publish>("publish").after("convert", "summarize", "keywords"))
WEIR_PLUGIN(article)

}  // namespace steps
}  // namespace article
