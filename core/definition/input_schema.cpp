#include "definition/input_schema.hpp"

#include <boost/json.hpp>
#include <fmt/core.h>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace weir {
namespace {

boost::json::value parsed(const Json& json) {
  boost::json::parse_options options;
  options.max_depth = Json::depth_max;
  return boost::json::parse(boost::json::string_view(json.text().data(), json.text().size()), {},
                            options);
}

// Turns valijson's context ["<root>", "[items]", "[3]"] into a JSON pointer.
std::string pointer(const std::vector<std::string>& context) {
  std::string text;
  for (const std::string& part : context) {
    if (part == "<root>") continue;
    text += '/';
    text += part.size() > 1 && part.front() == '[' ? part.substr(1, part.size() - 2) : part;
  }
  return text.empty() ? "the input" : text;
}

}  // namespace

Result<void> check_input(const Json& schema, const Json& input) {
  try {
    const boost::json::value schema_value = parsed(schema);
    const boost::json::value input_value = parsed(input);
    valijson::Schema rules;
    valijson::SchemaParser().populateSchema(valijson::adapters::BoostJsonAdapter(schema_value),
                                            rules);
    valijson::ValidationResults faults;
    if (valijson::Validator().validate(rules, valijson::adapters::BoostJsonAdapter(input_value),
                                       &faults))
      return {};
    // The error of a parent only repeats that something below it failed.
    std::string message;
    for (valijson::ValidationResults::Error fault; faults.popError(fault);) {
      if (fault.description.starts_with("Failed to validate against schema")) continue;
      if (!message.empty()) message += "; ";
      message += fmt::format("{}: {}", pointer(fault.context), fault.description);
    }
    if (message.empty()) message = "the input does not match the schema";
    return std::unexpected(Error{.code = ErrorCode::invalid_input,
                                 .kind = "input_schema",
                                 .message = std::move(message),
                                 .hint = "weir flows show prints what input the flow takes"});
  } catch (const std::exception& failure) {
    return std::unexpected(
        Error{.code = ErrorCode::corrupt,
              .kind = "bad_input_schema",
              .message = fmt::format("the flow's input schema cannot be used: {}", failure.what()),
              .hint = "rebuild the plugin"});
  }
}

}  // namespace weir
