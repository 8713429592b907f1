#include "definition/input_schema.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "definition/input_faults.hpp"

namespace weir {
namespace {

namespace bj = boost::json;

constexpr std::size_t faults_shown = 10;

bj::value parsed(const Json& json) {
  bj::parse_options options;
  options.max_depth = Json::depth_max;
  return bj::parse(bj::string_view(json.text().data(), json.text().size()), {}, options);
}

// To valijson an integer is what Boost.JSON has as int64. What is larger counts as the largest: an
// input's limits are checked before, by input_faults().
void make_integers(bj::value& value) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  if (const double* const real = value.if_double(); real && std::trunc(*real) == *real)
    value = *real >= static_cast<double>(largest)    ? largest
            : *real <= -static_cast<double>(largest) ? -largest
                                                     : static_cast<std::int64_t>(*real);
  if (value.is_uint64()) value = largest;
  if (value.is_array())
    for (bj::value& each : value.get_array()) make_integers(each);
  if (value.is_object())
    for (auto& each : value.get_object()) make_integers(each.value());
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

Error refusal(std::vector<std::string> faults) {
  std::ranges::sort(faults);
  faults.erase(std::ranges::unique(faults).begin(), faults.end());
  std::string message;
  for (std::size_t i = 0; i < std::min(faults.size(), faults_shown); ++i)
    message += (i == 0 ? "" : "; ") + faults[i];
  if (faults.size() > faults_shown) message += "; and more";
  return {.code = ErrorCode::invalid_input,
          .kind = "input_schema",
          .message = std::move(message),
          .hint = "weir flows show prints what input the flow takes"};
}

}  // namespace

struct InputSchema::Parts {
  explicit Parts(bj::value parsed_schema) : schema(std::move(parsed_schema)) {
    if (has_known_keywords(schema)) return;
    bj::value rules_text = schema;
    make_integers(rules_text);
    rules.emplace();
    try {
      valijson::SchemaParser().populateSchema(valijson::adapters::BoostJsonAdapter(rules_text),
                                              *rules);
    } catch (const std::exception& failure) {
      why_bad = failure.what();
    }
  }

  bj::value schema;
  std::optional<valijson::Schema> rules;  // where it has keywords that only valijson knows
  std::optional<std::string> why_bad;
};

InputSchema::InputSchema(const Json& schema)
    : parts_(std::make_shared<const Parts>(parsed(schema))) {}

Result<void> InputSchema::check(const Json& input) const {
  if (parts_->why_bad)
    return std::unexpected(Error{
        .code = ErrorCode::corrupt,
        .kind = "bad_input_schema",
        .message = fmt::format("the flow's input schema cannot be used: {}", *parts_->why_bad),
        .hint = "rebuild the plugin"});
  bj::value value = parsed(input);
  if (auto faults = input_faults(parts_->schema, value); !faults.empty())
    return std::unexpected(refusal(std::move(faults)));
  if (!parts_->rules) return {};
  make_integers(value);
  valijson::ValidationResults found;
  if (valijson::Validator().validate(*parts_->rules, valijson::adapters::BoostJsonAdapter(value),
                                     &found))
    return {};
  // The error of a parent only repeats that something in it failed.
  std::vector<std::string> faults;
  for (valijson::ValidationResults::Error fault; found.popError(fault);)
    if (!fault.description.starts_with("Failed to validate"))
      faults.push_back(fmt::format("{}: {}", pointer(fault.context), fault.description));
  if (faults.empty()) faults.push_back("the input: does not match the schema");
  return std::unexpected(refusal(std::move(faults)));
}

Result<void> check_input(const Json& schema, const Json& input) {
  return InputSchema(schema).check(input);
}

}  // namespace weir
