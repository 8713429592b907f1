#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "plugin/loader.hpp"
#include "plugin/plugin_error.hpp"
#include "support/temporary_folder.hpp"

namespace weir::testing {

/// Where tests/fixtures/bad_plugins built this variant: "wrong_magic".
std::filesystem::path built(std::string_view variant);

/// All bytes of a file.
std::string bytes_of(const std::filesystem::path& file);

/// A loader with a stage of its own.
PluginLoader loader(TrustPolicy policy = {});

/// "FAMILY/KIND at STAGE: detail (hint)": everything of a refusal but the path, which it compares
/// with `path`, and the sha256.
std::string refusal_text(const PluginError& error, const std::filesystem::path& path);

/// A plugin folder with two good plugins, good.so and zother.so, and one file to try, middle.so
/// between them.
class PluginFolder {
 public:
  PluginFolder();

  /// Where the file to try belongs.
  std::filesystem::path middle() const { return folder_.path() / "plugins" / "middle.so"; }
  std::filesystem::path path() const { return folder_.path() / "plugins"; }

  /// A place outside of the plugin folder.
  std::filesystem::path elsewhere(std::string_view name) const { return folder_.path() / name; }

  void put(std::string_view variant) const;
  void put_bytes(std::string_view bytes) const;

 private:
  TemporaryFolder folder_;
};

/// How the middle file is refused, by load(). Checks on the way that inspect() says the same and
/// that the good plugins beside it are live and run.
std::string refusal_in(const PluginFolder& folder);

/// As refusal_in, for what inspect() cannot see because it shows only in memory.
std::string refusal_in_memory(const PluginFolder& folder);

/// Checks that the middle file is a good plugin, for inspect() and load().
void check_good(const PluginFolder& folder);

/// What a step puts out; "failed" when it fails.
std::string run(const weir_step& step);

}  // namespace weir::testing
