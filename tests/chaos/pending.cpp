// A step whose calls are pending until a file exists, one of which crashes on a thread that is not its
// own.
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include <weir/async.hpp>
#include <weir/flow.hpp>

namespace {

using namespace std::chrono_literals;

// `folder` has a file for each call that has begun, INDEX-N for its Nth beginning; `release` ends all
// calls, and `crash` the process that the call `index` is in, once.
struct Waiting {
  std::string folder;
  std::size_t index = 0;
  bool crashes = false;
};
WEIR_JSON(Waiting, folder, index, crashes)

void note_begun(const Waiting& waiting) {
  std::filesystem::path note;
  for (std::size_t n = 1; note.empty() || std::filesystem::exists(note); ++n)
    note = std::filesystem::path(waiting.folder) / "begun" /
           (std::to_string(waiting.index) + "-" + std::to_string(n));
  std::ofstream{note};
}

weir::Async<std::size_t> hold(weir::Context& context, Waiting waiting) {
  note_begun(waiting);
  const std::filesystem::path folder = waiting.folder;
  for (; !std::filesystem::exists(folder / "release"); co_await context.sleep(200ms))
    if (waiting.crashes && std::filesystem::remove(folder / "crash")) std::raise(SIGSEGV);
  co_return waiting.index;
}

WEIR_FLOW(pending, "test.Pending", map<hold>("hold").timeout(30min).base_delay(10ms));

}  // namespace

WEIR_PLUGIN(pending)
