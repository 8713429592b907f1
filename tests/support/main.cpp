#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

int main(int argc, char** argv) {
  // Programs under test must not use the user's own cache.
  const std::filesystem::path cache = std::filesystem::temp_directory_path() / "weir-test-cache";
  ::setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  return doctest::Context(argc, argv).run();
}
