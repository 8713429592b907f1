#include "config/reader.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/json.hpp"
#include "base/nearest.hpp"

namespace weir {
namespace {

std::string described(const YAML::Node& value) {
  switch (value.Type()) {
    case YAML::NodeType::Scalar:
      return in_quotes(value.Scalar());
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    default:
      return "nothing";
  }
}

// How many bytes of the text a scalar's token takes; nullopt when its closing quote is missing.
std::optional<std::size_t> token_bytes(std::string_view from_here, const std::string& value) {
  const char quote = from_here.empty() ? '\0' : from_here.front();
  if (quote != '"' && quote != '\'') return from_here.starts_with(value) ? value.size() : 1;
  for (std::size_t i = 1; i < from_here.size(); ++i) {
    if (quote == '"' && from_here[i] == '\\')
      ++i;
    else if (quote == '\'' && from_here.substr(i).starts_with("''"))
      ++i;
    else if (from_here[i] == quote)
      return i + 1;
  }
  return std::nullopt;
}

// A message of yaml-cpp in words that help; any other one unchanged.
std::string_view explained(std::string_view what) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> known = {{
      {"illegal map value",
       "a key is not allowed here: quote a value that contains \": \", or add the \":\" that is "
       "missing in the line before"},
      {"end of map not found",
       "this line is neither aligned with the keys before it nor indented further than one of "
       "them"},
      {"end of sequence not found",
       "this line is neither aligned with the list before it nor outside of it"},
      {"end of map flow not found", "a mapping that begins with \"{\" is not closed with \"}\""},
      {"end of sequence flow not found", "a list that begins with \"[\" is not closed with \"]\""},
      {"illegal flow end", "this closes what was never opened"},
      {"bad file", "it is nested too deeply"},
      {"unknown token", "a value cannot begin with this character: quote it"},
  }};
  const auto* const found =
      std::ranges::find(known, what, &std::pair<std::string_view, std::string_view>::first);
  return found == known.end() ? what : found->second;
}

// The tab in the indentation of the line that contains `offset`.
std::optional<std::size_t> indenting_tab(std::string_view text, std::size_t offset) {
  const std::size_t newline = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t at = text.find_first_not_of(' ', begin);
  return at < text.size() && text[at] == '\t' ? std::optional(at) : std::nullopt;
}

// The first byte that YAML does not allow: invalid UTF-8, and control characters. A BOM is allowed.
std::optional<std::size_t> forbidden_byte(std::string_view text) {
  const auto bad = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  };
  const auto control = static_cast<std::size_t>(std::ranges::find_if(text, bad) - text.begin());
  const std::string clean = utf8_or_replaced(text);
  const auto differs =
      static_cast<std::size_t>(std::ranges::mismatch(text, clean).in1 - text.begin());
  const std::size_t first = std::min(control, differs);
  return first < text.size() ? std::optional(first) : std::nullopt;
}

}  // namespace

void Reader::fault(TextSpan where, std::string_view kind, std::string_view message) {
  found_.push_back({where, Error{.code = ErrorCode::invalid_input,
                                 .kind = std::string(kind),
                                 .message = source_.pointed(where, "error", message),
                                 .hint = {}}});
}

void Reader::refuse(std::string_view kind, std::string_view key, const YAML::Node& value,
                    std::string_view expected) {
  fault(span(value), kind, fmt::format("{}: expected {}, got {}", key, expected, described(value)));
}

const std::string* Reader::scalar(std::string_view key, const YAML::Node& value,
                                  std::string_view expected) {
  if (!value.IsScalar()) {
    refuse("bad_type", key, value, expected);
    return nullptr;
  }
  const TextSpan where = span(value);
  if (!token_bytes(source_.text().substr(where.offset), value.Scalar())) {
    fault({where.offset, 1}, "bad_yaml", "not YAML: this quote is never closed");
    return nullptr;
  }
  return &value.Scalar();
}

TextSpan Reader::span(const YAML::Node& node) const {
  const YAML::Mark mark = node.Mark();
  if (mark.is_null() || node.IsNull()) return entry_;
  const auto offset = static_cast<std::size_t>(mark.pos);
  if (!node.IsScalar()) return {offset, 1};
  return {offset, token_bytes(source_.text().substr(offset), node.Scalar()).value_or(1)};
}

Faults Reader::take() {
  std::ranges::sort(found_, {}, [](const Found& each) {
    return std::pair<std::size_t, const std::string&>(each.where.offset, each.error.message);
  });
  const auto duplicates =
      std::ranges::unique(found_, {}, &Found::error);  // found again via an alias
  found_.erase(duplicates.begin(), duplicates.end());
  Faults faults;
  for (Found& each : found_) faults.push_back(std::move(each.error));
  found_.clear();
  return faults;
}

void each_entry(
    Reader& reader, std::string_view section, const YAML::Node& mapping,
    const std::function<std::string(std::string_view)>& fold,
    const std::function<void(const std::string&, const YAML::Node&, const YAML::Node&)>& entry) {
  if (mapping.IsNull()) return;
  if (!mapping.IsMap()) return reader.refuse("bad_type", section, mapping, "a mapping");
  std::map<std::string, std::string> seen;
  for (const auto& each : mapping) {
    const std::string* const name = reader.scalar(section, each.first, "a name before the \":\"");
    if (name == nullptr) continue;
    reader.entry(each.first);
    if (const auto [first, added] = seen.try_emplace(fold(*name), *name); added)
      entry(*name, each.first, each.second);
    else
      reader.fault(reader.span(each.first), "duplicate_key",
                   *name == first->second
                       ? fmt::format("{} is given twice", in_quotes(*name))
                       : fmt::format("{} is given twice: {} is the same but for case",
                                     in_quotes(*name), in_quotes(first->second)));
  }
}

void unknown_key(Reader& reader, std::string_view section, const YAML::Node& key,
                 const std::vector<std::string>& known) {
  reader.fault(reader.span(key), "unknown_key",
               fmt::format("unknown key {} in {}; {}", in_quotes(key.Scalar()), section,
                           did_you_mean(key.Scalar(), known,
                                        fmt::format("known keys are {}", fmt::join(known, ", ")))));
}

YAML::Node parse_yaml(Reader& reader, std::string_view text) {
  if (const auto at = forbidden_byte(text)) {
    const auto byte = static_cast<unsigned char>(text[*at]);
    reader.fault({*at, 1}, "bad_yaml",
                 byte < 0x80 ? fmt::format("not YAML: a control character (0x{:02x})", byte)
                             : fmt::format("not YAML: not UTF-8 (byte 0x{:02x})", byte));
    return {};
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1)
      reader.fault(reader.span(documents[1]), "bad_yaml",
                   "a second document begins before here: only one is read");
    return documents.empty() ? YAML::Node() : documents.front();
  } catch (const YAML::Exception& refusal) {
    const std::size_t end = text.find_last_not_of(" \t\r\n") + 1;
    const std::size_t at =
        refusal.mark.is_null() ? 0 : std::min(static_cast<std::size_t>(refusal.mark.pos), end);
    if (const auto tab = indenting_tab(text, at))
      reader.fault({*tab, 1}, "bad_yaml",
                   "not YAML: a tab in the indentation, where only spaces are allowed");
    else
      reader.fault({at, 1}, "bad_yaml", fmt::format("not YAML: {}", explained(refusal.msg)));
    return {};
  }
}

}  // namespace weir
