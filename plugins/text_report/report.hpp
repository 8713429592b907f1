#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "file_count.hpp"

namespace text_report {

/// The result for one file: what it contains, or why that is unknown.
struct Outcome {
  std::string path;
  std::optional<FileCount> count;
  std::optional<std::string> error;
};

/// A file as the report shows it.
struct RankedFile {
  std::string path;
  std::uint64_t words = 0;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  TermCount::Ranked terms;
};

/// A file that is not part of the totals, and why.
struct SkippedFile {
  std::string path;
  std::string error;
};

struct Total {
  std::uint64_t files = 0;
  std::uint64_t words = 0;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
};

struct Report {
  Total total;
  std::vector<RankedFile> files;
  std::vector<SkippedFile> skipped;
};

/// The report on the results for all files: most words first, ties by the bytes of the path;
/// skipped files in the order given.
Report ranked(std::vector<Outcome> outcomes);

}  // namespace text_report
