#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "step/attempt.hpp"

namespace weir {

/// The SQL text that completes an attempt with that output inside its handler's own transaction
/// (C9), valid until the attempt times out. It means the same in every client encoding. Errors:
/// invalid_input, when `output` is not a valid output of that step; kind "isolated" when the
/// attempt does not run in the worker's own process.  [the attempt's slot]
Result<std::string> settlement_text(const Attempt& attempt, std::string_view output);

/// The outcome of an attempt whose handler was given that text, returned, and committed nothing.
AttemptResult not_settled();

}  // namespace weir
