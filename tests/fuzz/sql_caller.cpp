#include "fuzz/sql_caller.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace weir::testing {
namespace {

std::string field(const PGresult& answer, int code) {
  const char* const text = PQresultErrorField(&answer, code);
  return text == nullptr ? "" : text;
}

/// Refusals in words of our own, and those of PostgreSQL for a value that its type cannot have or
/// an operation that a value does not allow. The others are faults of the function.
bool is_refusal(const std::string& function, const std::string& code, const PGresult& answer) {
  if (code.starts_with("WR00") || code.starts_with("22") || code == "42883") return true;
  if (code == "54001" || code == "54000") return true;  // JSON deeper or larger than it can be
  const bool starts = function == "start" || function == "start_many";
  if (code == "23505" && starts)  // documented: a run_id that exists
    return field(answer, PG_DIAG_CONSTRAINT_NAME) == "run_uuid_key";
  if (code == "40001") return starts;  // documented: start again
  if (code == "55P03")                 // documented: repeat the call
    return function == "exchange" || function == "settle_share" || function == "return_share" ||
           function == "drop_shares" || function == "adopt_older";
  // The one call of every worker, many times a second: what it appends is checked by the journal's
  // own constraints alone.
  return function == "exchange" && code.starts_with("23");
}

constexpr std::array<std::string_view, 2> rolled_back = {"prune_batch", "prune"};

}  // namespace

std::vector<SqlFunction> functions_of(const std::string& url, const std::string& role) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> session(PQconnectdb(url.c_str()), &PQfinish);
  const std::string query =
      "select p.oid, p.proname, p.proargnames[a.place], format_type(a.type, null),"
      " a.place > p.pronargs - p.pronargdefaults from pg_proc p left join lateral"
      " unnest(p.proargtypes::oid[]) with ordinality as a(type, place) on true"
      " where p.pronamespace = 'weir'::regnamespace and p.prokind = 'f'"
      " and has_function_privilege('" +
      role + "', p.oid, 'execute') order by p.proname, p.oid, a.place";
  const std::unique_ptr<PGresult, decltype(&PQclear)> rows(PQexec(session.get(), query.c_str()),
                                                           &PQclear);
  std::vector<SqlFunction> functions;
  std::string last;
  for (int row = 0; row < PQntuples(rows.get()); ++row) {
    const auto text = [&](int column) -> std::string {
      return PQgetvalue(rows.get(), row, column);
    };
    if (std::exchange(last, text(0)) != text(0)) functions.push_back({text(1), {}});
    if (!text(3).empty()) functions.back().parameters.push_back({text(2), text(3), text(4) == "t"});
  }
  return functions;
}

std::uint64_t SqlOutcomes::calls() const {
  std::uint64_t sum = 0;
  for (const auto& [function, codes] : counts)
    for (const auto& [code, count] : codes) sum += count;
  return sum;
}

void SqlOutcomes::add(const SqlOutcomes& other) {
  for (const auto& [function, codes] : other.counts)
    for (const auto& [code, count] : codes) counts[function][code] += count;
  for (const auto& [what, calls] : other.faults)
    faults[what].insert(faults[what].end(), calls.begin(), calls.end());
}

std::string SqlOutcomes::table() const {
  std::string lines;
  for (const auto& [function, codes] : counts) {
    lines += fmt::format("{:40}", function);
    for (const auto& [code, count] : codes) lines += fmt::format(" {} {}", code, count);
    lines += '\n';
  }
  return lines;
}

SqlCaller::SqlCaller(const std::string& url, std::string role)
    : role_(std::move(role)),
      functions_(functions_of(url, role_)),
      connection_(PQconnectdb(url.c_str())) {
  for (const std::string& setting :
       {"set role " + role_, std::string("set statement_timeout = '20s'"),
        std::string("set client_min_messages = error")})
    if (PQresultStatus(run(setting, {}).get()) != PGRES_COMMAND_OK)
      throw std::runtime_error(setting + ": " + PQerrorMessage(connection_.get()));
}

SqlCaller::Answer SqlCaller::run(const std::string& statement,
                                 const std::vector<std::optional<std::string>>& values) {
  std::vector<const char*> texts;
  for (const auto& value : values) texts.push_back(value ? value->c_str() : nullptr);
  return Answer(PQexecParams(connection_.get(), statement.c_str(), static_cast<int>(texts.size()),
                             nullptr, texts.data(), nullptr, nullptr, 0));
}

void SqlCaller::call(SqlValues& values, SqlOutcomes& outcomes) {
  const SqlFunction& function = values.any_of(functions_);
  values.begin_call(function.name);
  std::string statement = "select * from weir." + function.name + "(";
  std::string shown = statement;
  std::vector<std::optional<std::string>> arguments;
  for (const SqlParameter& parameter : function.parameters) {
    if (parameter.optional && values.one_in(3)) continue;
    auto value = values.argument(parameter);
    const char* const comma = arguments.empty() ? "" : ", ";
    arguments.push_back(value);
    statement +=
        fmt::format("{}{} => ${}::{}", comma, parameter.name, arguments.size(), parameter.type);
    shown += fmt::format("{}{} => {}", comma, parameter.name,
                         value ? "'" + value->substr(0, 200) + "'" : "null");
  }
  statement += ')';
  const bool back = std::ranges::find(rolled_back, function.name) != rolled_back.end();
  if (back) run("begin", {});
  const Answer answer = run(statement, arguments);
  if (back) run("rollback", {});
  judge(function, *answer, shown + ")", outcomes);
  if (function.name == "exchange" && PQresultStatus(answer.get()) == PGRES_TUPLES_OK &&
      !values.worker().empty())
    ++values.pools.sequences[values.worker()];
}

void SqlCaller::judge(const SqlFunction& function, const PGresult& answer, const std::string& shown,
                      SqlOutcomes& outcomes) const {
  const bool taken = PQresultStatus(&answer) == PGRES_TUPLES_OK;
  std::string code = taken ? "taken" : field(answer, PG_DIAG_SQLSTATE);
  if (PQstatus(connection_.get()) != CONNECTION_OK) code = "broken";
  ++outcomes.counts[role_ + " " + function.name][code];
  if (taken || is_refusal(function.name, code, answer)) return;
  auto& calls = outcomes.faults[function.name + " " + code];
  if (calls.size() < 3)
    calls.push_back(fmt::format("{}\n    {}\n    {}", shown, PQresultErrorMessage(&answer),
                                field(answer, PG_DIAG_CONTEXT).substr(0, 300)));
  if (code == "broken") throw std::runtime_error("the server ended the session of " + shown);
}

std::vector<std::string> SqlCaller::call_plainly(
    const std::string& function, const std::map<std::string, std::string>& arguments) {
  const auto found = std::ranges::find(functions_, function, &SqlFunction::name);
  if (found == functions_.end()) throw std::runtime_error("no function " + function);
  std::string statement = "select * from weir." + function + "(";
  std::vector<std::optional<std::string>> values;
  for (const SqlParameter& parameter : found->parameters) {
    const auto given = arguments.find(parameter.name);
    if (given == arguments.end() && parameter.optional) continue;
    const char* const comma = values.empty() ? "" : ", ";
    values.emplace_back(given != arguments.end()         ? std::optional(given->second)
                        : parameter.type.ends_with("[]") ? std::optional<std::string>("{}")
                                                         : std::nullopt);
    statement +=
        fmt::format("{}{} => ${}::{}", comma, parameter.name, values.size(), parameter.type);
  }
  const Answer answer = run(statement + ")", values);
  if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK)
    throw std::runtime_error(function + ": " + PQresultErrorMessage(answer.get()));
  std::vector<std::string> column;
  for (int row = 0; row < PQntuples(answer.get()); ++row)
    column.emplace_back(PQgetvalue(answer.get(), row, 0));
  return column;
}

}  // namespace weir::testing
