#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/flow.hpp>

#include "file_count.hpp"
#include "file_list.hpp"
#include "report.hpp"

namespace text_report {

WEIR_JSON(FileCount, words, lines, bytes, terms)
WEIR_JSON(Outcome, path, count, error)
WEIR_JSON(RankedFile, path, words, lines, bytes, terms)
WEIR_JSON(SkippedFile, path, error)
WEIR_JSON(Total, files, words, lines, bytes)
WEIR_JSON(Report, total, files, skipped)

namespace {

struct Input {
  std::string folder;
};
WEIR_JSON(Input, folder)

/// A task of `count`; a file with an error is passed on to the report as it is.
struct ListedItem {
  std::string path;
  std::optional<std::string> error;
};
WEIR_JSON(ListedItem, path, error)

struct Counted {
  std::vector<Outcome> count;
};
WEIR_JSON(Counted, count)

std::vector<ListedItem> list(weir::Context& context, const Input& input) {
  auto files = list_files(input.folder, [&] { context.check(); });
  if (!files) throw weir::permanent("no_folder", files.error());
  std::vector<ListedItem> items;
  for (ListedFile& file : *files) {
    items.push_back({std::move(file.path), std::nullopt});
    if (!file.trouble.empty()) items.back().error = std::move(file.trouble);
  }
  return items;
}

Outcome count(weir::Context& context, const ListedItem& item) {
  if (item.error) return {item.path, std::nullopt, item.error};
  const std::filesystem::path folder = context.flow_input<Input>().folder;
  auto counted = count_file(folder / item.path, [&] { context.check(); });
  if (!counted) return {item.path, std::nullopt, counted.error()};
  return {item.path, *std::move(counted), std::nullopt};
}

Report rank(weir::Context&, Counted counted) { return ranked(std::move(counted.count)); }

}  // namespace

constexpr std::int64_t largest_output = 256 * 1024 * 1024;  // the report on about a million files

WEIR_FLOW(text_report, "examples.TextReport",
          step<list>("list").timeout(10min).max_output(largest_output),
          map<count>("count").over("list").timeout(1h),
          step<rank>("rank").after("count").timeout(10min).max_output(largest_output))
WEIR_PLUGIN(text_report)

}  // namespace text_report
