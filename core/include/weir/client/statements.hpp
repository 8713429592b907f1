/// SQL text that starts a run, signals or cancels one: for a transaction of your own, with any
/// library. It has its effect exactly if that transaction commits (S5).
///
///     const auto sql = weir::start_statement("order", *weir::Json::parse(R"({"id": 7})"));
///     pqxx::work tx(connection);
///     tx.exec("insert into orders …");
///     tx.exec(*sql);  // one row: run_id, created
///     tx.commit();
///
/// Every value is a literal in the text. The text is plain ASCII and means the same under every
/// client_encoding and standard_conforming_strings: no input can end a literal.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <weir/client/start_options.hpp>
#include <weir/json_text.hpp>
#include <weir/result.hpp>

namespace weir {

/// A new UUIDv7 with which a run can be started, so that its id is known beforehand. Those of one
/// process sort in the order in which they were made.  [any thread]
std::string new_run_id();

/// One statement, without a semicolon, that gives one row: run_id (uuid), created (boolean).
///
/// The database refuses an unknown flow (SQLSTATE WR002) and an input that the flow does not accept
/// (WR003), and with that the transaction. It does not know the flow's input schema:
/// Client::check_input does.  [any thread]
/// Errors: invalid_input: an option out of its range, both delay and at, a run id that is not a
/// UUID, text that is not UTF-8.
Result<std::string> start_statement(std::string_view flow, const Json& input,
                                    const RunOptions& options = {});

/// As start_statement for any number of runs: a row for each input, in order.
Result<std::string> start_many_statement(std::string_view flow, const std::vector<Json>& inputs,
                                         const StartOptions& options = {});

/// Gives one row with one boolean: false when the wait had been signalled before (C4). Errors: as
/// start_statement.
Result<std::string> signal_statement(std::string_view run_id, std::string_view name,
                                     const Json& payload);

/// Gives one row with one boolean: false when the run had ended (C1). Errors: as start_statement.
Result<std::string> cancel_statement(std::string_view run_id, std::string_view reason = {});

}  // namespace weir
