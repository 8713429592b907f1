#pragma once
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

#include "store/postgres/fields.hpp"
#include "store/postgres/member_path.hpp"

namespace weir::postgres {

/// A column of a query, and the member of a report that it fills.
template <class... Path>
struct Column {
  std::string_view sql;  ///< an expression of the query
  MemberPath<Path...> member;
};

template <class... Path>
constexpr Column<Path...> column(std::string_view sql, Path... member) {
  return {sql, {{member...}}};
}

/// Which columns a query selects for a report, and which member each of them fills: the one place
/// for both. A member's type says how its column is selected and read (fields.hpp). NULL leaves a
/// member as it is.
template <class Report, class... Column>
class Columns {
 public:
  static constexpr int count = sizeof...(Column);

  constexpr explicit Columns(Column... columns) : columns_(columns...) {}

  /// "run_id, flow, …": what to select.
  constexpr Text list() const {
    Text list;
    std::apply([&](const auto&... each) { (append(list, each), ...); }, columns_);
    return list;
  }

  /// Fills the members from the columns of `row` that begin with number `first`.
  void fill(Report& report, const pqxx::row& row, int first = 0) const {
    std::apply([&](const auto&... each) { (read(row[first++], each.member.of(report)), ...); },
               columns_);
  }

  Report read_row(const pqxx::row& row, int first = 0) const {
    Report report;
    fill(report, row, first);
    return report;
  }

  std::vector<Report> read_all(const pqxx::result& rows) const {
    std::vector<Report> reports;
    reports.reserve(static_cast<std::size_t>(rows.size()));
    for (const auto& row : rows) reports.push_back(read_row(row));
    return reports;
  }

 private:
  static constexpr void append(Text& list, const auto& column) {
    using Member = std::remove_reference_t<decltype(column.member.of(std::declval<Report&>()))>;
    if (!list.empty()) list += ", ";
    list += selected<Member>(column.sql);
  }

  std::tuple<Column...> columns_;
};

/// The columns of a report, each made by column().
template <class Report, class... Column>
constexpr Columns<Report, Column...> columns_of(Column... columns) {
  return Columns<Report, Column...>(columns...);
}

}  // namespace weir::postgres
