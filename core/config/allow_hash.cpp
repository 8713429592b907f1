#include "config/allow_hash.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "config/config.hpp"

namespace weir {
namespace {

constexpr std::string_view any_folder = "/";  // relative paths do not matter here

std::size_t place(const YAML::Node& node) { return static_cast<std::size_t>(node.Mark().pos); }

bool is_flow(const YAML::Node& node) { return node.Style() == YAML::EmitterStyle::Flow; }

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return before == std::string_view::npos ? 0 : before + 1;
}

std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}

std::string with(std::string_view text, std::size_t at, std::string_view more) {
  return std::string(text.substr(0, at)) + std::string(more) + std::string(text.substr(at));
}

// The key of an entry and its value; of an empty value only the key has a place in the text.
struct Entry {
  YAML::Node key;
  YAML::Node value;
};

Entry entry_of(const YAML::Node& mapping, std::string_view name) {
  for (const auto& each : mapping)
    if (each.first.IsScalar() && each.first.Scalar() == name) return {each.first, each.second};
  return {};
}

/// Where a hash is inserted, and in which form.
class Insertion {
 public:
  Insertion(std::string_view text, std::string_view sha256, std::string_view comment)
      : text_(text), sha256_(sha256), item_(fmt::format("- {}", sha256)) {
    if (!comment.empty()) item_ += fmt::format("  # {}", comment);
  }

  std::string into(const YAML::Node& root) const {
    if (!root.IsMap() || root.size() == 0) return at_end();
    const Entry plugins = entry_of(root, "plugins");
    if (!plugins.key.IsDefined() || plugins.key.IsNull()) return is_flow(root) ? "" : at_end();
    if (plugins.value.IsNull()) return below(plugins.key, "sha256_allow:\n", 2);
    const Entry list = entry_of(plugins.value, "sha256_allow");
    if (!list.key.IsDefined() || list.key.IsNull()) return into_section(plugins.value);
    if (list.value.IsNull()) return is_flow(plugins.value) ? "" : below(list.key, "", 2);
    if (!list.value.IsSequence()) return "";
    if (is_flow(list.value))
      return with(text_, place(list.value) + 1,
                  fmt::format("{}{}", sha256_, list.value.size() == 0 ? "" : ", "));
    const std::size_t begin = line_begin(text_, place(list.value[0]));
    const std::string_view before = text_.substr(begin, place(list.value[0]) - begin);
    return with(text_, begin, fmt::format("{}{}\n", before.substr(0, before.find('-')), item_));
  }

 private:
  std::string at_end() const {
    const std::string_view gap = text_.empty() ? "" : text_.ends_with('\n') ? "\n" : "\n\n";
    return fmt::format("{}{}plugins:\n  sha256_allow:\n    {}\n", text_, gap, item_);
  }

  // Inserts lines below a key that has no value.
  std::string below(const YAML::Node& key, std::string_view head, std::size_t deeper) const {
    const std::size_t indent = place(key) - line_begin(text_, place(key)) + deeper;
    const std::size_t end = line_end(text_, place(key));
    const std::string lines =
        head.empty() ? fmt::format("\n{:{}}{}", "", indent, item_)
                     : fmt::format("\n{:{}}{}{:{}}{}", "", indent, head, "", indent + 2, item_);
    return with(text_, end, lines);
  }

  std::string into_section(const YAML::Node& section) const {
    if (!section.IsMap()) return "";
    if (is_flow(section))
      return with(text_, place(section) + 1,
                  fmt::format("sha256_allow: [{}]{}", sha256_, section.size() == 0 ? "" : ", "));
    const std::size_t first = place(section.begin()->first);
    const std::size_t begin = line_begin(text_, first);
    const std::size_t indent = first - begin;
    return with(text_, begin,
                fmt::format("{:{}}sha256_allow:\n{:{}}{}\n", "", indent, "", indent + 2, item_));
  }

  std::string_view text_;
  std::string_view sha256_;
  std::string item_;
};

// Whether `text` is a configuration with the hashes of `before` and this one.
bool adds_hash(const std::string& text, const Config& before, std::string_view sha256) {
  const auto after = parse_config(SourceText("", text), any_folder);
  if (!after) return false;
  std::vector<std::string> expected = before.plugins.sha256_allow;
  expected.emplace_back(sha256);
  std::vector<std::string> found = after->plugins.sha256_allow;
  std::ranges::sort(expected);
  std::ranges::sort(found);
  return expected == found && after->plugins.folders.size() == before.plugins.folders.size();
}

}  // namespace

Result<AllowedHash> allow_hash(const SourceText& source, std::string_view sha256,
                               std::string_view comment) {
  const auto config = parse_config(source, any_folder);
  if (!config) return std::unexpected(config.error().front());
  const auto& allowed = config->plugins.sha256_allow;
  if (std::ranges::find(allowed, sha256) != allowed.end())
    return AllowedHash{.text = std::string(source.text()), .was_there = true, .first = false};
  std::string text;
  try {
    text = Insertion(source.text(), sha256, comment).into(YAML::Load(std::string(source.text())));
  } catch (const YAML::Exception&) {  // a form that parse_config accepts and Load does not
    text.clear();
  }
  if (text.empty() || !adds_hash(text, *config, sha256))
    return std::unexpected(Error{
        .code = ErrorCode::invalid_input,
        .kind = "cannot_edit",
        .message =
            fmt::format("{}: plugins.sha256_allow has a form that is not edited", source.name()),
        .hint = fmt::format("add {} to it by hand", sha256)});
  return AllowedHash{.text = std::move(text), .was_there = false, .first = allowed.empty()};
}

}  // namespace weir
