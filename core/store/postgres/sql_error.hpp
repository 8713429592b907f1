#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir::postgres {

/// An error of the server as ours: the code by SQLSTATE, message and hint from what libpq printed
/// ("ERROR:  message\nHINT:  hint\nCONTEXT:  …").
Error sql_error(std::string_view sqlstate, std::string_view text);

/// A session that ended or never began. Never shows a password.
Error connection_error(const std::string& url, std::string_view text);

/// The URL or conninfo for people: passwords replaced by ***.
std::string without_password(const std::string& url);

}  // namespace weir::postgres
