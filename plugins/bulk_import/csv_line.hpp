#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace bulk_import {

/// The fields of one line of CSV (RFC 4180, without line breaks in fields): "…" may contain
/// commas, and "" in it is one quote. Errors say what is wrong with the line.
std::expected<std::vector<std::string>, std::string> csv_fields(std::string_view line);

}  // namespace bulk_import
