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

struct OneFile {
  std::string_view library;
  std::string_view file;
};
// Libraries that take seconds to compile, and the only file that includes each.
constexpr std::array<OneFile, 3> one_file = {{{"[cli11]", "core/cli/command_line/grammar.cpp"},
                                              {"[spdlog]", "core/cli/log.cpp"},
                                              {"[valijson]", "core/definition/input_schema.cpp"}}};

constexpr std::string_view public_headers = "core/include/weir/";

// "run" for "core/run/backoff.cpp" below "core/".
std::string first_folder(std::string_view path, std::string_view below) {
  path.remove_prefix(below.size());
  return std::string(path.substr(0, path.find('/')));
}

// The standard library's and the system's.
bool is_of_system(std::string_view target) {
  constexpr std::array<std::string_view, 3> folders = {"sys/", "linux/", "sanitizer/"};
  return !target.contains('/') || std::ranges::any_of(folders, [&](std::string_view each) {
    return target.starts_with(each);
  });
}

// Of <…>, in a file of the layer or the product `name`.
std::optional<std::string> fault_of_angled(const Layers& layers, const std::string& name,
                                           const Include& include) {
  constexpr std::string_view ours = "weir/";
  if (include.target.starts_with(ours)) {
    const auto product = layers.product_of(std::string_view(include.target).substr(ours.size()));
    if (!product) return "it is of no product in core/layers.txt";
    if (!layers.may_include(name, *product)) return name + " does not stand on " + *product;
    return std::nullopt;
  }
  const auto library = layers.library_of_header(include.target);
  if (!library)
    return is_of_system(include.target)
               ? std::nullopt
               : std::optional<std::string>("it is of no library in core/layers.txt");
  if (!layers.may_use(name, *library)) return name + " does not use " + *library;
  for (const OneFile& each : one_file)
    if (each.library == *library && each.file != include.file)
      return "only " + std::string(each.file) + " may";
  return std::nullopt;
}

std::optional<std::string> fault(const Layers& layers, const Include& include) {
  const std::string_view file = include.file;
  if (file.starts_with("plugins/"))
    return include.quoted && layers.knows(first_folder(include.target, ""))
               ? std::optional<std::string>("a plugin has <weir/…> and its own files alone")
               : std::nullopt;
  if (file.starts_with("core/include/")) {
    if (include.quoted) return "a public header includes <weir/…> and what users have";
    const auto product = layers.product_of(file.substr(public_headers.size()));
    if (!product) return "this file is of no product in core/layers.txt";
    return fault_of_angled(layers, *product, include);
  }
  if (file.starts_with("core/cli/plugin_templates/")) return std::nullopt;  // a user's files
  const std::string layer = first_folder(file, "core/");
  if (!layers.knows(layer)) return layer + " is not in core/layers.txt";
  if (!include.quoted) return fault_of_angled(layers, layer, include);
  const std::string other = first_folder(include.target, "");
  if (!layers.knows(other)) return "\"…\" is rooted at core/ and begins with a layer";
  if (!layers.may_include(layer, other)) return layer + " does not stand on " + other;
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
