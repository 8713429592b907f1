#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

/// A duration as people write it: a whole number and one of ms, s, m, h, d, as in "500ms" or "2s";
/// nullopt for anything else. A number beyond the type's range becomes the range's end.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// In the largest unit that divides it: "15s", "90m"; parse_duration gives the same duration.
std::string written(std::chrono::milliseconds duration);

/// A size in bytes: a whole number and one of B, KiB, MiB, GiB, as in "16MiB"; else as
/// parse_duration().
std::optional<std::int64_t> parse_size(std::string_view text);

/// "16MiB"; parse_size gives the same size.
std::string written_size(std::int64_t bytes);

}  // namespace weir
