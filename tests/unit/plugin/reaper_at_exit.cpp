// Lets a library go while the process exits. Succeeds if the reaper's thread ends then.
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>

#include <unistd.h>

#include "plugin/library.hpp"
#include "support/eventually.hpp"

namespace {

namespace fs = std::filesystem;

std::shared_ptr<const weir::Library>& library() {
  static auto& held = *new std::shared_ptr<const weir::Library>;
  return held;
}

bool has_one_thread() {
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()) == 1;
}

}  // namespace

int main(int, char** arguments) {
  // Called after what is registered later, by the reaper.
  std::atexit([] {
    library().reset();
    ::_exit(weir::testing::eventually(has_one_thread) ? EXIT_SUCCESS : EXIT_FAILURE);
  });
  const auto loaded = weir::Library::load(fs::path(arguments[1]), "good");
  if (!loaded) ::_exit(2);
  library() = *loaded;
  return 3;
}
