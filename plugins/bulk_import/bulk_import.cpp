#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <weir/flow.hpp>

#include "csv_line.hpp"

namespace bulk_import {
namespace {

struct Import {
  std::string customer_id;
  std::string file;
};
WEIR_JSON(Import, customer_id, file)

/// One line, or what is wrong with it.
struct Row {
  std::optional<std::string> email;
  std::optional<double> amount;
  std::optional<std::string> error;
};
WEIR_JSON(Row, email, amount, error)

struct Rows {
  std::vector<Row> row;
};
WEIR_JSON(Rows, row)

struct Summary {
  std::int64_t rows, refused;
  double total;
  std::vector<std::string> errors;
};
WEIR_JSON(Summary, rows, refused, total, errors)

constexpr std::int64_t largest_file = 64 * 1024 * 1024;
constexpr std::size_t errors_told = 10;

std::vector<std::string> read(weir::Context& context, const Import& import) {
  std::ifstream file(import.file);
  if (!file) throw weir::permanent("no_file", "cannot read " + import.file);
  std::vector<std::string> lines;
  std::string line;
  std::getline(file, line);
  if (line != "email,amount")
    throw weir::permanent("bad_header", "the first line must be email,amount");
  while (std::getline(file, line)) {
    context.check();
    lines.push_back(line);
  }
  return lines;
}

Row row(weir::Context&, const std::string& line) {
  const auto refused = [](std::string why) { return Row{{}, {}, std::move(why)}; };
  const auto fields = csv_fields(line);
  if (!fields) return refused(fields.error());
  if (fields->size() != 2) return refused(std::to_string(fields->size()) + " fields instead of 2");
  const std::string& email = fields->front();
  if (!email.contains('@')) return refused("\"" + email + "\" is no mail address");
  const std::string& text = fields->back();
  double amount = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), amount).ptr;
  if (text.empty() || end != text.data() + text.size())
    return refused("\"" + text + "\" is no amount");
  return {email, amount, {}};
}

Summary summary(weir::Context&, const Rows& rows) {
  Summary summary{static_cast<std::int64_t>(rows.row.size()), 0, 0, {}};
  for (std::size_t i = 0; i < rows.row.size(); ++i) {
    const Row& row = rows.row[i];
    summary.total += row.amount.value_or(0);
    if (!row.error) continue;
    ++summary.refused;
    if (summary.errors.size() < errors_told)
      summary.errors.push_back("line " + std::to_string(i + 2) + ": " + *row.error);
  }
  return summary;
}

}  // namespace

WEIR_FLOW(bulk_import, "examples.BulkImport",
          step<read>("read").max_output(largest_file).timeout(10min), map<row>("row").over("read"),
          step<summary>("summary").after("row").timeout(10min))
WEIR_PLUGIN(bulk_import)

}  // namespace bulk_import
