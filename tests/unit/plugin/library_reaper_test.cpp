#include "plugin/library_reaper.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <weir/abi/plugin.h>

#include "base/child_process.hpp"
#include "base/sha256.hpp"
#include "plugin/file_mapping.hpp"
#include "plugin/library.hpp"
#include "plugin/stage.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;
using Loaded = std::shared_ptr<const Library>;

LibraryReaper& reaper() { return LibraryReaper::of_process(); }

bool idle() { return reaper().wait_until_idle(std::chrono::steady_clock::now() + 30s); }

// A stage, and what was reported of what was staged there.
class ReaperRig {
 public:
  // Bytes that no other test loads: a note at the end of a library is not part of its code.
  TrustedFile file(std::string_view variant) const {
    static std::atomic<int> number = 0;
    std::string bytes = bytes_of(built(variant)) + "test " + std::to_string(++number);
    std::string sha256 = sha256_hex(bytes);
    return {.path = variant, .bytes = std::move(bytes), .sha256 = std::move(sha256)};
  }
  Loaded load(const TrustedFile& file) const {
    const auto loaded = Library::load(stage_.put(file).value(), file.sha256);
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().detail);
    return *loaded;
  }
  Loaded load(std::string_view variant) const { return load(file(variant)); }
  const StageDirectory& stage() const { return stage_; }

  bool mapped(const std::string& sha256) const {
    const auto all = file_mappings();
    REQUIRE(all.has_value());
    return std::ranges::any_of(*all,
                               [&](const FileMapping& each) { return each.path.contains(sha256); });
  }
  std::size_t staged() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(stage_.path()), fs::directory_iterator()));
  }

  std::vector<LibraryReaper::UnloadReport> pinned() const {
    const std::scoped_lock lock(mutex_);
    return pinned_;
  }
  std::vector<LibraryReaper::UnloadReport> unloaded() const {
    const std::scoped_lock lock(mutex_);
    return unloaded_;
  }

 private:
  bool is_ours(const LibraryReaper::UnloadReport& report) const {
    return report.staged.parent_path() == stage_.path();
  }

  TemporaryFolder base_;
  StageDirectory stage_ = StageDirectory::open(base_.path()).value();
  mutable std::mutex mutex_;
  std::vector<LibraryReaper::UnloadReport> pinned_, unloaded_;
  std::shared_ptr<const void> watch_ = reaper().observe({.unloaded =
                                                             [this](const auto& report) {
                                                               const std::scoped_lock lock(mutex_);
                                                               if (is_ours(report))
                                                                 unloaded_.push_back(report);
                                                             },
                                                         .pinned =
                                                             [this](const auto& report) {
                                                               const std::scoped_lock lock(mutex_);
                                                               if (is_ours(report))
                                                                 pinned_.push_back(report);
                                                             }});
};

const weir_step& step(const Library& library, std::size_t index) {
  const auto& plugin = *static_cast<const weir_plugin*>(library.symbol(WEIR_PLUGIN_SYMBOL));
  return plugin.flows[0].steps[index];  // the fixture's have "second" first
}
std::string run_first(const Library& library) { return run(step(library, 1)); }
std::string run_second(const Library& library) { return run(step(library, 0)); }

}  // namespace

TEST_SUITE("plugin: library reaper") {
  TEST_CASE("the same bytes are loaded once") {
    const ReaperRig rig;
    const TrustedFile file = rig.file("good");
    const Loaded first = rig.load(file);
    CHECK(rig.load(file) == first);
  }

  TEST_CASE("V2: after the last holder let go the code is unmapped and its copy is gone") {
    const ReaperRig rig;
    const TrustedFile file = rig.file("good");
    Loaded library = rig.load(file);
    Loaded again = library;
    library.reset();
    CHECK(idle());
    CHECK(rig.mapped(file.sha256));
    CHECK(run_first(*again) == "\"first\"");
    again.reset();
    CHECK(idle());
    CHECK_FALSE(rig.mapped(file.sha256));
    CHECK(rig.staged() == 0);
    CHECK(rig.pinned().empty());
    REQUIRE(rig.unloaded().size() == 1);
    CHECK(rig.unloaded().front().sha256 == file.sha256);
  }

  TEST_CASE("a library that left can be loaded again") {
    const ReaperRig rig;
    const TrustedFile file = rig.file("counts_calls");
    for (int i = 0; i < 3; ++i) {
      const Loaded library = rig.load(file);
      run_first(*library);
      CHECK(run_second(*library) == "1");  // its state began anew
      CHECK(rig.mapped(file.sha256));
      const_cast<Loaded&>(library).reset();
      CHECK(idle());
      CHECK_FALSE(rig.mapped(file.sha256));
    }
  }

  TEST_CASE(
      "a queued library that is loaded again is taken back and what is loaded waits for none") {
    const ReaperRig rig;
    const TemporaryFolder folder;
    const fs::path marker = folder.path() / "go";
    ::setenv("WEIR_TEST_MARKER", marker.c_str(), 1);
    const TrustedFile file = rig.file("counts_calls");
    const std::size_t held_before = reaper().counts().held;
    Loaded library = rig.load(file);
    run_first(*library);
    {
      // While a constructor runs nothing can be closed.
      const std::jthread slow([&] { rig.load("slow_to_load"); });
      REQUIRE(eventually([&] { return fs::exists(folder.path() / "go.begun"); }));
      const Library* const address = library.get();
      library.reset();
      CHECK(reaper().counts().queued == 1);
      library = rig.load(file);
      CHECK(library.get() == address);
      CHECK(reaper().counts().queued == 0);
      folder.write("go", "");
    }
    ::unsetenv("WEIR_TEST_MARKER");
    CHECK(idle());
    CHECK(reaper().counts().held == held_before + 1);
    run_first(*library);
    CHECK(run_second(*library) == "2");
    CHECK(rig.pinned().empty());
    library.reset();
    CHECK(idle());
  }

  TEST_CASE("case 34: static state of two versions is not shared") {
    const ReaperRig rig;
    const Loaded one = rig.load("counts_calls");
    const Loaded two = rig.load("counts_calls_2");
    run_first(*one);
    run_first(*one);
    run_first(*two);
    CHECK(run_second(*one) == "2");
    CHECK(run_second(*two) == "1");
  }

  TEST_CASE(
      "case 34: a symbol that is one for the process keeps its library and the reason is told") {
    const ReaperRig rig;
    const TrustedFile file = rig.file("unique_symbol");
    run_first(*rig.load(file));
    CHECK(idle());
    REQUIRE(rig.pinned().size() == 1);
    CHECK(rig.pinned().front().why ==
          "its symbol \"weir_test_unique\" is STB_GNU_UNIQUE, one for the whole process (build it "
          "with -fno-gnu-unique, or link it with a version script that makes all but "
          "weir_plugin_v1 local: weir_add_plugin does both)");
  }

  TEST_CASE("case 35: a nodelete library is told as unload_pinned once and can be used again") {
    const ReaperRig rig;
    const TrustedFile file = rig.file("nodelete");
    const std::size_t pinned_before = reaper().counts().pinned;
    run_first(*rig.load(file));
    CHECK(idle());
    CHECK(reaper().counts().pinned == pinned_before + 1);
    CHECK(rig.mapped(file.sha256));
    CHECK(rig.staged() == 1);
    REQUIRE(rig.pinned().size() == 1);
    CHECK(rig.pinned().front().sha256 == file.sha256);
    CHECK(rig.pinned().front().why ==
          "it is linked with -z nodelete (link it without -z nodelete)");
    {
      const Loaded again = rig.load(file);
      CHECK(reaper().counts().pinned == pinned_before);
      run_first(*again);
      CHECK(run_second(*again) == "2");
    }
    CHECK(idle());
    CHECK(reaper().counts().pinned == pinned_before + 1);
    CHECK(rig.unloaded().empty());
  }

  TEST_CASE("case 36: a thread-local with a destructor keeps the library until its thread ends") {
    const ReaperRig rig;
    const TrustedFile file = rig.file("thread_local");
    std::mutex mutex;
    std::condition_variable changed;
    bool used = false;
    bool may_end = false;
    std::jthread user([&] {
      run_first(*rig.load(file));
      std::unique_lock lock(mutex);
      used = true;
      changed.notify_all();
      changed.wait(lock, [&] { return may_end; });
    });
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return used; });
    }
    CHECK(idle());
    REQUIRE(rig.pinned().size() == 1);
    CHECK(rig.pinned().front().why ==
          "it has thread-locals with destructors, which keep it until the threads that touched "
          "them end (give its thread-locals types without destructors)");
    CHECK(rig.mapped(file.sha256));
    {
      const std::scoped_lock lock(mutex);
      may_end = true;
    }
    changed.notify_all();
    user.join();
    CHECK(eventually([&] { return rig.unloaded().size() == 1; }));
    CHECK_FALSE(rig.mapped(file.sha256));
    CHECK(rig.staged() == 0);
  }

  TEST_CASE("a reaper that has work when the process exits ends instead of doing it") {
    const fs::path good = built("good");
    auto process = ChildProcess::start({.program = REAPER_AT_EXIT, .arguments = {good.string()}});
    REQUIRE(process.has_value());
    const auto end = process->wait(2 * patience);
    REQUIRE(end.has_value());
    CHECK(to_string(*end) == "exit status 0");
  }

  TEST_CASE("a library that does not load leaves nothing behind") {
    const ReaperRig rig;
    {
      const TrustedFile file = rig.file("undefined_symbol");
      const auto loaded = Library::load(rig.stage().put(file).value(), file.sha256);
      REQUIRE_FALSE(loaded.has_value());
      CHECK(loaded.error().kind == PluginFault::load_failed);
      CHECK(loaded.error().detail.contains("neighbour"));
    }
    CHECK(rig.staged() == 0);
  }

  TEST_CASE("threads that load and let go of the same bytes never see a pin nor a closed library") {
    const ReaperRig rig;
    const std::vector<TrustedFile> files = {rig.file("good"), rig.file("good"), rig.file("good")};
    const std::size_t rounds = 300;
    std::atomic<std::size_t> good = 0;
    {
      std::vector<std::jthread> threads;
      for (std::size_t thread = 0; thread < 3; ++thread)
        threads.emplace_back([&, thread] {
          for (std::size_t round = 0; round < rounds; ++round) {
            const TrustedFile& file = files[(thread + round) % files.size()];
            const auto library = Library::load(rig.stage().put(file).value(), file.sha256);
            if (library && run_first(**library) == "\"first\"") ++good;
          }
        });
    }
    CHECK(good == 3 * rounds);
    CHECK(idle());
    CHECK(rig.pinned().empty());
    CHECK(rig.staged() == 0);
    for (const TrustedFile& file : files) CHECK_FALSE(rig.mapped(file.sha256));
  }
}
