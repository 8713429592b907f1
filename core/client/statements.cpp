#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include <weir/client/statements.hpp>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/iso8601.hpp"
#include "base/json.hpp"

namespace weir {
namespace {

Error refused(std::string message, std::string hint) {
  return {.code = ErrorCode::invalid_input,
          .kind = "invalid_input",
          .message = std::move(message),
          .hint = std::move(hint)};
}

// Returns the character that begins at `at`, and advances `at`. `utf8` must be valid, and the
// character not ASCII.
char32_t take_character(std::string_view utf8, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(utf8[i]); };
  const unsigned first = byte(at);
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  WEIR_DEBUG_ASSERT(first >= 0xC2 && at + more < utf8.size());
  char32_t character = first & (0x3FU >> more);
  for (std::size_t i = 1; i <= more; ++i) character = (character << 6) | (byte(at + i) & 0x3FU);
  at += more + 1;
  return character;
}

// '…' if nothing must be escaped, else E'…': neither depends on standard_conforming_strings.
std::string escaped_literal(std::string_view ascii) {
  WEIR_DEBUG_ASSERT(std::ranges::all_of(ascii, [](unsigned char c) { return c < 0x80; }));
  if (ascii.find_first_of("'\\") == std::string_view::npos) return fmt::format("'{}'", ascii);
  std::string literal = "E'";
  for (const char c : ascii) {
    if (c == '\'' || c == '\\') literal += c;
    literal += c;
  }
  return literal + '\'';
}

Result<std::string> text_literal(std::string_view what, std::string_view text) {
  if (utf8_or_replaced(text) != text)
    return std::unexpected(refused(fmt::format("{} is not UTF-8 text", what), ""));
  std::string literal = "E'";
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      literal += fmt::format("\\U{:08X}", static_cast<std::uint32_t>(take_character(text, at)));
      continue;
    }
    if (c == '\'' || c == '\\') literal += c;
    literal += c;
    ++at;
  }
  literal += '\'';
  return literal.contains('\\') ? literal : escaped_literal(text);
}

std::string json_literal(const Json& json) {
  const std::string_view text = json.text();
  std::string ascii;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ascii += text[at++];
      continue;
    }
    const char32_t character = take_character(text, at);
    if (character < 0x10000) {
      ascii += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character));
    } else {
      const std::uint32_t over = static_cast<std::uint32_t>(character) - 0x10000;
      ascii += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (over >> 10), 0xDC00 + (over & 0x3FF));
    }
  }
  return escaped_literal(ascii) + "::jsonb";
}

Result<std::string> uuid_literal(std::string_view id) {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const bool fits = std::ranges::equal(id, form, [](char c, char wanted) {
    return wanted == '-'
               ? c == '-'
               : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (fits) return fmt::format("'{}'::uuid", id);
  return std::unexpected(Error{.code = ErrorCode::invalid_input,
                               .kind = "bad_run_id",
                               .message = fmt::format("{} is not a run id", in_quotes(id)),
                               .hint = "run ids are UUIDs: weir::new_run_id() makes one"});
}

// "array[a, b]::type[]", with each element converted by `literal`.
template <class Literal>
Result<std::string> array(const std::vector<std::string>& texts, std::string_view type,
                          Literal&& literal) {
  std::string items;
  for (const std::string& text : texts) {
    const Result<std::string> item = literal(text);
    if (!item) return std::unexpected(item.error());
    items += (items.empty() ? "" : ", ") + *item;
  }
  return fmt::format("array[{}]::{}[]", items, type);
}

/// Collects the arguments of a call; keeps the first error.
class Arguments {
 public:
  void add(std::string_view name, Result<std::string> literal) {
    if (failed_) return;
    if (!literal)
      failed_ = literal.error();
    else
      text_ += fmt::format(", {} => {}", name, *literal);
  }
  void refuse(Error error) {
    if (!failed_) failed_ = std::move(error);
  }

  /// "select run_id, created from weir.start('order', …)"
  Result<std::string> call(std::string_view function, Result<std::string> flow,
                           std::string_view input) const {
    if (!flow) return std::unexpected(flow.error());
    if (failed_) return std::unexpected(*failed_);
    return fmt::format("select run_id, created from weir.{}({}, {}{})", function, *flow, input,
                       text_);
  }

 private:
  std::string text_;
  std::optional<Error> failed_;
};

// What RunOptions and StartOptions have in common.
template <class Options>
void add_common(Arguments& arguments, const Options& options) {
  if (options.delay && options.at)
    arguments.refuse(refused("both a delay and a time to start at", "give one of them"));
  if (options.delay)
    arguments.add("delay", fmt::format("{} * interval '1 ms'", options.delay->count()));
  if (options.at) arguments.add("at", fmt::format("'{}'::timestamptz", iso8601(*options.at)));
  if (options.priority < -100 || options.priority > 100)
    arguments.refuse(
        refused(fmt::format("priority {} is out of range", options.priority), "from -100 to 100"));
  if (options.priority != 0) arguments.add("priority", std::to_string(options.priority));
  if (options.version) arguments.add("version", std::to_string(*options.version));
  if (!options.tags.empty())
    arguments.add("tags", array(options.tags, "text",
                                [](const std::string& tag) { return text_literal("a tag", tag); }));
}

Result<std::string> key_literal(const std::string& key) {
  constexpr std::size_t bytes_max = 255;
  if (key.empty() || key.size() > bytes_max)
    return std::unexpected(
        refused(fmt::format("an idempotency key of {} bytes", key.size()), "from 1 to 255 bytes"));
  return text_literal("an idempotency key", key);
}

Result<std::string> flow_literal(std::string_view flow) {
  return text_literal("a flow's slug", flow);
}

}  // namespace

Result<std::string> start_statement(std::string_view flow, const Json& input,
                                    const RunOptions& options) {
  Arguments arguments;
  if (options.idempotency_key)
    arguments.add("idempotency_key", key_literal(*options.idempotency_key));
  if (options.run_id) arguments.add("run_id", uuid_literal(*options.run_id));
  add_common(arguments, options);
  return arguments.call("start", flow_literal(flow), json_literal(input));
}

Result<std::string> start_many_statement(std::string_view flow, const std::vector<Json>& inputs,
                                         const StartOptions& options) {
  Arguments arguments;
  for (const auto& [what, count] : {std::pair("keys", options.idempotency_keys.size()),
                                    std::pair("run_ids", options.run_ids.size())})
    if (count != 0 && count != inputs.size())
      arguments.refuse(refused(fmt::format("{}: {} for {} inputs", what, count, inputs.size()),
                               "give none, or one for each input"));
  if (!options.idempotency_keys.empty())
    arguments.add("keys", array(options.idempotency_keys, "text", key_literal));
  if (!options.run_ids.empty())
    arguments.add("run_ids", array(options.run_ids, "uuid", uuid_literal));
  add_common(arguments, options);
  std::string literals;
  for (const Json& input : inputs) literals += (literals.empty() ? "" : ", ") + json_literal(input);
  return arguments.call("start_many", flow_literal(flow),
                        fmt::format("array[{}]::jsonb[]", literals));
}

Result<std::string> signal_statement(std::string_view run_id, std::string_view name,
                                     const Json& payload) {
  const auto run = uuid_literal(run_id);
  if (!run) return run;
  const auto signal = text_literal("a signal's name", name);
  if (!signal) return signal;
  return fmt::format("select weir.signal({}, {}, {})", *run, *signal, json_literal(payload));
}

Result<std::string> cancel_statement(std::string_view run_id, std::string_view reason) {
  const auto run = uuid_literal(run_id);
  if (!run) return run;
  const auto why = text_literal("a reason", reason);
  if (!why) return why;
  return fmt::format("select weir.cancel({}, {})", *run, *why);
}

}  // namespace weir
