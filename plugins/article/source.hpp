#pragma once
#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace article {

inline constexpr std::size_t source_bytes_max = 2 * 1024 * 1024;

/// The text of a file, as clean_text makes it. The error, in words, is one that a retry cannot fix:
/// no such file, no permission, no regular file, too large, not text. Throws std::system_error for
/// failures that may pass.
std::expected<std::string, std::string> read_source(const std::filesystem::path& file);

/// UTF-8 with lines that end in "\n" and nothing but text (is_text) in it. Bytes that are no UTF-8
/// are taken for windows-1252, as browsers do; a byte order mark is removed, and a non-breaking
/// space becomes a space.
std::string clean_text(std::string_view bytes);

}  // namespace article
