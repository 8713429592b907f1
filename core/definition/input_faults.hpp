#pragma once
#include <string>
#include <vector>

#include <boost/json/value.hpp>

namespace weir {

/// What in a value does not fit a JSON schema, with its place: "/orders/1/sku: expected a string,
/// got a number"; at most some hundred. Knows the keywords that weir.input_faults knows in SQL, and
/// has the same words; a test compares them. Others are no rule, and neither is one of the wrong
/// form, what is beside a $ref, or an additionalProperties beside patternProperties.
std::vector<std::string> input_faults(const boost::json::value& schema,
                                      const boost::json::value& value);

/// Whether input_faults() finds all that does not fit this schema.
bool has_known_keywords(const boost::json::value& schema);

}  // namespace weir
