#include "step/settlement.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/hex.hpp"
#include "base/iso8601.hpp"
#include "base/json.hpp"

namespace weir {
namespace {

bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '\'' && c != '\\'; }

// The text goes in hexadecimal when it has quotes, backslashes or other characters that a server
// could read in more than one way.
std::string jsonb_literal(std::string_view text) {
  if (std::ranges::all_of(text, is_plain)) return fmt::format("'{}'::jsonb", text);
  return fmt::format("convert_from(decode('{}', 'hex'), 'UTF8')::jsonb", hex_digits(text));
}

Error settlement_refused(std::string kind, std::string message) {
  return {.code = ErrorCode::invalid_input,
          .kind = std::move(kind),
          .message = std::move(message),
          .hint = {}};
}

}  // namespace

Result<std::string> settlement_text(const Attempt& attempt, std::string_view output) {
  if (attempt.worker == 0)
    return std::unexpected(settlement_refused(
        "isolated", "only a step that runs in a worker's own process can settle in a transaction"));
  const auto limit = static_cast<std::size_t>(attempt.options.max_output_bytes);
  if (output.size() > limit)
    return std::unexpected(settlement_refused(
        "output_too_large", fmt::format("the output has {} bytes, more than max_output allows: {}",
                                        output.size(), limit)));
  const auto json = Json::parse(std::string(output));
  if (!json)
    return std::unexpected(
        settlement_refused("bad_output", "the output is " + json.error().message));
  const Time started =
      attempt.clock.at(Steady(Steady::duration(attempt.started.load(std::memory_order_acquire))));
  return fmt::format(
      "select weir.settle({}::bigint, {}::bigint, {}::smallint, {}::integer, {}::smallint, {}, "
      "{}::integer, '{}'::timestamptz, '{}'::timestamptz, {}::bigint)",
      attempt.worker, attempt.run, attempt.task.step, attempt.task.index, attempt.number,
      jsonb_literal(json->text()), attempt.plugin ? std::to_string(*attempt.plugin) : "null",
      iso8601(started), iso8601(started + attempt.options.timeout), attempt.share);
}

AttemptResult not_settled() {
  return {.outcome = Outcome::failed,
          .error_code = "not_settled",
          .error = "the step returned without committing the settlement it requested"};
}

}  // namespace weir
