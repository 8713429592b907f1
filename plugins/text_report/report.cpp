#include "report.hpp"

#include <algorithm>
#include <utility>

namespace text_report {

Report ranked(std::vector<Outcome> outcomes) {
  Report report;
  for (auto& [path, count, error] : outcomes) {
    if (!count) {
      report.skipped.push_back({std::move(path), std::move(error).value_or("not counted")});
      continue;
    }
    const RankedFile& file = report.files.emplace_back(std::move(path), count->words, count->lines,
                                                       count->bytes, std::move(count->terms));
    report.total.files += 1;
    report.total.words += file.words;
    report.total.lines += file.lines;
    report.total.bytes += file.bytes;
  }
  std::ranges::sort(report.files, [](const RankedFile& a, const RankedFile& b) {
    return a.words != b.words ? a.words > b.words : a.path < b.path;
  });
  return report;
}

}  // namespace text_report
