#include "csv_line.hpp"

namespace bulk_import {

std::expected<std::vector<std::string>, std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quoted && c == '"') {
      if (at + 1 < line.size() && line[at + 1] == '"')
        fields.back() += line[at++];
      else
        quoted = false;
    } else if (!quoted && c == '"') {
      if (!fields.back().empty()) return std::unexpected("a quote within a field");
      quoted = true;
    } else if (!quoted && c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::unexpected("a quote that is not closed");
  return fields;
}

}  // namespace bulk_import
