#include "cli/plugin_template.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "base/slug.hpp"
#include "cli/plugin_template_files.hpp"

namespace weir::cli {
namespace {

// Names of targets of CMake itself, and of Weir's target.
constexpr std::array<std::string_view, 10> reserved = {
    "all",     "clean",          "codegen", "edit_cache", "help",
    "install", "package_source", "package", "test",       "weir"};

// order_totals → OrderTotals
std::string pascal_case(std::string_view slug) {
  std::string name;
  bool begins = true;
  for (const char c : slug) {
    if (c == '_') {
      begins = true;
      continue;
    }
    name += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    begins = false;
  }
  // "_" and "_1" are not valid in a module's name.
  return name.empty() || (name.front() >= '0' && name.front() <= '9') ? "Flow" + name : name;
}

std::string replaced(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += by.size())
    text.replace(at, word.size(), by);
  return text;
}

std::string filled(std::string_view text, std::string_view name, PluginLanguage language) {
  const std::string_view input =
      language == PluginLanguage::cpp ? R"('{"name": "Ada"}')" : R"('"Ada"')";
  std::string filled = replaced(std::string(text), "plugin_name", name);
  filled = replaced(std::move(filled), "PluginName", pascal_case(name));
  return replaced(std::move(filled), "INPUT", input);
}

}  // namespace

std::string_view name(PluginLanguage language) noexcept {
  switch (language) {
    case PluginLanguage::cpp:
      return "cpp";
    case PluginLanguage::c:
      return "c";
    case PluginLanguage::rust:
      return "rust";
  }
  return "";
}

Result<void> check_plugin_name(std::string_view name) {
  const auto slug = Slug::parse(name);
  if (!slug) {
    Error error = slug.error();
    error.code = ErrorCode::invalid_input;
    return std::unexpected(std::move(error));
  }
  if (std::ranges::find(reserved, slug->folded()) == reserved.end()) return {};
  return std::unexpected(Error{
      .code = ErrorCode::invalid_input,
      .kind = "reserved_name",
      .message = fmt::format("\"{}\" cannot be a plugin's name: CMake has a target of its own "
                             "under it",
                             name),
      .hint = fmt::format("take another one, \"{}_flow\" for example", name)});
}

std::vector<NewFile> new_plugin(PluginLanguage language, std::string_view plugin) {
  const std::string folder = fmt::format("{}/", name(language));
  std::vector<NewFile> files;
  for (const TemplateFile& file : plugin_template_files()) {
    std::string_view path = file.path;
    if (path.starts_with(folder))
      path.remove_prefix(folder.size());
    else if (path.contains('/'))
      continue;
    files.push_back(
        {replaced(std::string(path), "plugin_name", plugin), filled(file.text, plugin, language)});
  }
  return files;
}

std::string new_flow_source(std::string_view plugin) {
  const auto files = plugin_template_files();
  const auto source = std::ranges::find(files, "cpp/plugin_name.cpp", &TemplateFile::path);
  return filled(source->text, plugin, PluginLanguage::cpp);
}

}  // namespace weir::cli
