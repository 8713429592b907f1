#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace weir::cli {

struct PluginsNew {
  std::string name;
  std::string language = "cpp";                 ///< cpp, c, rust
  std::optional<std::filesystem::path> folder;  ///< default: the name
};

struct PluginsTry {
  std::filesystem::path file;
  std::string flow;            ///< "": the only one
  std::string input = "null";  ///< JSON, @FILE, or - for stdin
  std::optional<std::string> expect;
  std::vector<std::string> signals;  ///< NAME=JSON, or NAME for null
  bool json = false;
};

struct PluginsReplay {
  std::string run;
  std::filesystem::path with;
  bool json = false;
};

}  // namespace weir::cli
