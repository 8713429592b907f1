#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "term_count.hpp"

namespace text_report {

/// What one file holds.
struct FileCount {
  static constexpr std::size_t terms_shown = 10;

  std::uint64_t words = 0;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  TermCount::Ranked terms;
  friend bool operator==(const FileCount&, const FileCount&) = default;
};

/// Counts the regular file at `file`, read through a buffer of fixed size; links are not followed.
///
/// The error is the reason why this file cannot be counted, for the report: it vanished, may not be
/// read, is no regular file, or holds no text. `pause` is called between pieces and may throw to
/// end the work. Throws std::system_error when it is the host that lacks something (descriptors,
/// memory): worth a retry.
std::expected<FileCount, std::string> count_file(const std::filesystem::path& file,
                                                 const std::function<void()>& pause);

}  // namespace text_report
