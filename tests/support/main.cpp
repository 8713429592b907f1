#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

namespace weir {
// Of plugin/library_reaper.hpp: null in programs that do not load libraries.
[[gnu::weak]] void stop_unloading();
}  // namespace weir

int main(int argc, char** argv) {
  // Programs under test must not use the user's own cache.
  const std::filesystem::path cache = std::filesystem::temp_directory_path() / "weir-test-cache";
  ::setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  const int outcome = doctest::Context(argc, argv).run();
  if (weir::stop_unloading != nullptr) weir::stop_unloading();
  return outcome;
}
