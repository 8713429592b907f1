#pragma once
#include <memory>

#include "base/error.hpp"
#include "base/json.hpp"

namespace weir {

/// A flow's input schema, read once for any number of inputs.  [const: any thread]
class InputSchema {
 public:
  explicit InputSchema(const Json& schema);

  /// Checks an input (S3). Errors: invalid_input, kind "input_schema", each fault with its JSON
  /// pointer, in the words with which the database refuses it; corrupt, kind "bad_input_schema",
  /// when the schema itself cannot be used.
  Result<void> check(const Json& input) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

/// For one input; see InputSchema::check.
Result<void> check_input(const Json& schema, const Json& input);

}  // namespace weir
