#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "step/attempt.hpp"

namespace weir {

/// The SQL text that completes an attempt with that output inside its handler's own transaction
/// (C9), valid until the attempt times out. It reads the same in every client encoding. Errors:
/// invalid_input, for what is no output of that step; kind "isolated" where the attempt is not a
/// worker's own. [the attempt's slot]
Result<std::string> settlement_text(const Attempt& attempt, std::string_view output);

}  // namespace weir
