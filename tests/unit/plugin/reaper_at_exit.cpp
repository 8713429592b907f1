// Lets a library go while the process exits. Succeeds if the reaper's thread ends then.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>

#include <unistd.h>

#include "plugin/library.hpp"
#include "support/eventually.hpp"

namespace {

namespace fs = std::filesystem;

std::shared_ptr<const weir::Library>& library() {
  static auto& held = *new std::shared_ptr<const weir::Library>;
  return held;
}

std::set<fs::path> threads() {
  std::set<fs::path> all;
  for (const auto& thread : fs::directory_iterator("/proc/self/task")) all.insert(thread.path());
  return all;
}

// Before the reaper's.
std::set<fs::path>& first_threads() {
  static auto& first = *new std::set<fs::path>;
  return first;
}

bool has_only_first_threads() { return std::ranges::includes(first_threads(), threads()); }

}  // namespace

int main(int, char** arguments) {
  std::thread([] {}).join();  // a sanitizer begins one of its own with the first
  first_threads() = threads();
  // Called after what is registered later, by the reaper.
  std::atexit([] {
    library().reset();
    ::_exit(weir::testing::eventually(has_only_first_threads) ? EXIT_SUCCESS : EXIT_FAILURE);
  });
  const auto loaded = weir::Library::load(fs::path(arguments[1]), "good");
  if (!loaded) ::_exit(2);
  library() = *loaded;
  return 3;
}
