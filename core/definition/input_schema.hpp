#pragma once
#include "base/error.hpp"
#include "base/json.hpp"

namespace weir {

/// Checks an input against a flow's input schema (S3). Errors: invalid_input, kind "input_schema",
/// each fault with its JSON pointer; corrupt when the schema itself cannot be read.
Result<void> check_input(const Json& schema, const Json& input);

}  // namespace weir
