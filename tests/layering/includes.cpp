#include "includes.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <sstream>

namespace weir {
namespace {

struct Hidden {
  std::string_view prefix;  // of what is included
  std::string_view place;   // the only layer, or the only file, that may
};
// The files are those of libraries that take seconds to compile.
constexpr std::array<Hidden, 7> hidden = {{{"pqxx/", "store"},
                                           {"libpq", "store"},
                                           {"yaml-cpp/", "config"},
                                           {"CLI/", "cli/command_line/grammar.cpp"},
                                           {"spdlog/", "cli/log.cpp"},
                                           {"valijson/", "client/input_schema.cpp"},
                                           {"boost/dll", "plugin"}}};

// "run" for "core/run/backoff.cpp" below "core/".
std::string first_folder(std::string_view path, std::string_view below) {
  path.remove_prefix(below.size());
  return std::string(path.substr(0, path.find('/')));
}

// What a public header may include: our own, the standard library's, the system's, and what their
// users have to install anyway.
bool is_public_header_of(std::string_view target) {
  constexpr std::array<std::string_view, 6> prefixes = {"weir/", "boost/json", "boost/context/",
                                                        "sys/",  "linux/",     "sanitizer/"};
  return !target.contains('/') || std::ranges::any_of(prefixes, [&](std::string_view each) {
    return target.starts_with(each);
  });
}

std::optional<std::string> fault(const Layers& layers, const Include& include) {
  const std::string_view file = include.file;
  if (file.starts_with("core/include/"))
    return include.quoted || !is_public_header_of(include.target)
               ? std::optional<std::string>("a public header must not include it")
               : std::nullopt;
  if (file.starts_with("plugins/"))
    return include.quoted && layers.knows(first_folder(include.target, ""))
               ? std::optional<std::string>("a plugin has <weir/…> and its own files alone")
               : std::nullopt;
  const std::string layer = first_folder(file, "core/");
  if (!layers.knows(layer)) return layer + " is not in core/layers.txt";
  if (include.quoted) {
    const std::string other = first_folder(include.target, "");
    if (!layers.knows(other)) return "\"…\" is rooted at core/ and begins with a layer";
    if (!layers.may_include(layer, other)) return layer + " does not stand on " + other;
  }
  for (const Hidden& library : hidden)
    if (include.target.starts_with(library.prefix) && library.place != layer &&
        "core/" + std::string(library.place) != file)
      return "only " + std::string(library.place) + " may";
  return std::nullopt;
}

bool is_source(const std::filesystem::path& path) {
  const std::string extension = path.extension();
  return extension == ".c" || extension == ".h" || extension == ".cpp" || extension == ".hpp";
}

}  // namespace

std::vector<Include> includes_of(const std::string& file, std::string_view text) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*([<"])([^">]+)[">].*)re");
  std::vector<Include> found;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number)
    if (std::smatch match; std::regex_match(line, match, pattern))
      found.push_back(
          {.file = file, .line = number, .target = match[2], .quoted = match[1] == "\""});
  return found;
}

std::vector<Include> includes_below(const std::filesystem::path& root,
                                    const std::filesystem::path& folder) {
  std::vector<Include> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    if (!entry.is_regular_file() || !is_source(entry.path())) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::vector<Include> own = includes_of(entry.path().lexically_relative(root), text);
    found.insert(found.end(), own.begin(), own.end());
  }
  return found;
}

std::string violations(const Layers& layers, const std::vector<Include>& includes) {
  std::string text;
  for (const Include& include : includes)
    if (const auto what = fault(layers, include))
      text += include.file + ":" + std::to_string(include.line) + ": " + include.target + ": " +
              *what + "\n";
  return text;
}

}  // namespace weir
