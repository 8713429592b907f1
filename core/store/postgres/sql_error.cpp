#include "store/postgres/sql_error.hpp"

#include <array>
#include <regex>
#include <utility>

#include <fmt/core.h>
#include <libintl.h>
#include <libpq-fe.h>

#include "store/worker_store.hpp"

namespace weir::postgres {
namespace {

struct Rule {
  std::string_view sqlstate;  // or its beginning
  ErrorCode code;
  std::string_view kind;
  std::string_view hint;
};

constexpr std::string_view server_full_hint =
    "all connection slots are taken: let fewer sessions in (worker.count, other programs), or "
    "raise "
    "max_connections of the server or the limit of the role or database";

// The first rule that matches applies. WR… are raised by our own functions, with their own hints.
constexpr std::array<Rule, 27> rules = {{
    {"WR001", ErrorCode::lease_lost, "lease_lost", ""},
    {"WR002", ErrorCode::not_found, "not_found", ""},
    {"WR003", ErrorCode::invalid_input, "invalid_input", ""},
    {"WR004", ErrorCode::conflict, "duplicate_slug", ""},
    {"WR005", ErrorCode::conflict, "incompatible_version", ""},
    {"WR006", ErrorCode::conflict, "run_over", ""},
    {"WR007", ErrorCode::lease_lost, commits_lost, ""},
    {"23505", ErrorCode::conflict, "already_exists", "choose another id"},
    {"22P02", ErrorCode::invalid_input, "invalid_input", ""},
    {"22", ErrorCode::invalid_input, "invalid_input", ""},
    {"25006", ErrorCode::unavailable, "read_only",
     "the server is a standby: name the primary in the database URL"},
    {"28", ErrorCode::unavailable, "access_denied", "check user and password of the database URL"},
    {"2BP01", ErrorCode::conflict, "depended_upon",
     "drop what depends on it, migrate, create it again"},
    {"3D000", ErrorCode::unavailable, "no_such_database", "create it: createdb NAME"},
    {"42501", ErrorCode::unavailable, "no_permission",
     "the database user needs rights on schema weir"},
    {"42P01", ErrorCode::unavailable, "not_migrated", "run: weir migrate"},
    {"42883", ErrorCode::unavailable, "not_migrated",
     "the schema is not the one of this program: weir doctor says which is older"},
    {"3F000", ErrorCode::unavailable, "not_migrated", "run: weir migrate"},
    {"53100", ErrorCode::unavailable, "disk_full",
     "free space on the database's disk; nothing was lost"},
    {"53300", ErrorCode::unavailable, "server_full", server_full_hint},
    {"53", ErrorCode::unavailable, "server_busy", "the server is short of connections or memory"},
    {"54", ErrorCode::invalid_input, "too_large", "PostgreSQL cannot store a value of this size"},
    {"58", ErrorCode::unavailable, "server_fault", "see the log of the database server"},
    {"40003", ErrorCode::in_doubt, "in_doubt", "check whether it happened before you repeat it"},
    {"40", ErrorCode::unavailable, "try_again", ""},
    {"55P03", ErrorCode::unavailable, "try_again", ""},
    {"57014", ErrorCode::unavailable, "try_again", ""},
}};

// The line of the hint. libpq writes its label in the language of this program, as its own
// translations have it.
std::string hint_of(std::string_view text) {
  const std::string translations = fmt::format("libpq5-{}", PQlibVersion() / 10'000);
  const std::string_view line = ::dgettext(translations.c_str(), "HINT:  %s\n");
  const std::string label = "\n" + std::string(line.substr(0, line.find("%s")));
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + label.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

}  // namespace

Error sql_error(std::string_view sqlstate, std::string_view text) {
  const std::size_t colon = text.find(":  ");
  std::string_view message = colon == std::string_view::npos ? text : text.substr(colon + 3);
  message = message.substr(0, message.find('\n'));
  return sql_error(sqlstate, std::string(message), hint_of(text));
}

Error sql_error(std::string_view sqlstate, std::string message, std::string hint) {
  Error error{.code = ErrorCode::internal,
              .kind = "sql_" + std::string(sqlstate),
              .message = std::move(message),
              .hint = std::move(hint)};
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57P") || sqlstate.empty()) {
    error.code = ErrorCode::unavailable;
    error.kind = "database_away";
    return error;
  }
  if ((sqlstate == "XX000" && error.message.starts_with("cache lookup failed")) ||
      (sqlstate == "0A000" && error.message.starts_with("cached plan"))) {
    error.code = ErrorCode::unavailable;
    error.kind = stale_plan;
    return error;
  }
  for (const Rule& rule : rules) {
    if (!sqlstate.starts_with(rule.sqlstate)) continue;
    error.code = rule.code;
    error.kind = rule.kind;
    if (error.hint.empty()) error.hint = rule.hint;
    break;
  }
  return error;
}

std::string without_password(const std::string& url) {
  static const std::regex in_url(R"((//[^:/@\s]*):[^/\s]*@)");
  static const std::regex in_conninfo(R"((password\s*=\s*)('(\\.|[^'\\])*'|[^ &]+))");
  return std::regex_replace(std::regex_replace(url, in_url, "$1:***@"), in_conninfo, "$1***");
}

Error connection_error(const std::string& url, std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string line = without_password(std::string(text));  // libpq quotes an invalid URL in full
  for (char& c : line)
    if (c == '\n' || c == '\t') c = ' ';
  const bool denied = text.contains("authentication failed") ||
                      text.contains("no password supplied") ||
                      text.contains("no pg_hba.conf entry");
  const bool absent = text.contains("does not exist");
  const bool full = text.contains("too many clients") || text.contains("too many connections") ||
                    text.contains("connection slots are reserved");
  return {.code = ErrorCode::unavailable,
          .kind = denied   ? "access_denied"
                  : absent ? "no_such_database"
                  : full   ? "server_full"
                           : "database_away",
          .message = fmt::format("cannot reach the database {}: {}", without_password(url), line),
          .hint = denied   ? "check user and password of the database URL"
                  : absent ? "create it, or fix the database URL"
                  : full   ? std::string(server_full_hint)
                           : "is the server up, and the database URL right?"};
}

Error shared_session_error(const std::string& url) {
  return {.code = ErrorCode::unavailable,
          .kind = "transaction_pooling",
          .message = fmt::format("a connection pooler at {} gives each transaction another session "
                                 "of the server, as PgBouncer does with pool_mode = transaction",
                                 without_password(url)),
          .hint = "let the database URL name the server, or a pool with pool_mode = session"};
}

}  // namespace weir::postgres
