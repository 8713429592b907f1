#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir::postgres {

/// The kind of an error unavailable: what the statement uses was replaced while it was planned or
/// began to run. Nothing was written.
inline constexpr std::string_view stale_plan = "stale_plan";

/// Converts an error of the server: the code by SQLSTATE, message and hint from the text of libpq
/// ("ERROR:  message\nHINT:  hint\nCONTEXT:  …").
Error sql_error(std::string_view sqlstate, std::string_view text);

/// The same from the parts of the text. An empty hint is that of the code.
Error sql_error(std::string_view sqlstate, std::string message, std::string hint);

/// The error of a session that broke or could not be opened. Never contains a password. No SQLSTATE
/// comes with `text`: what a server in another language than English refuses is "database_away".
Error connection_error(const std::string& url, std::string_view text);

/// The error of a session that the server shares with others from transaction to transaction.
Error shared_session_error(const std::string& url);

/// The URL or conninfo for messages: passwords are replaced by ***.
std::string without_password(const std::string& url);

}  // namespace weir::postgres
