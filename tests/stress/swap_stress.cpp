// Runs at full speed while their plugin is replaced again and again, by the way that a file takes:
// read, staged, loaded, published beside its former version, retired, closed by the reaper. As
// often as WEIR_STRESS_SWAPS says. Run it under a sanitizer.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "plugin/file_mapping.hpp"
#include "plugin/library_reaper.hpp"
#include "plugin/loader.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/plugin_files.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t threads_count = 3;
constexpr std::size_t calls_in_a_run = 8;
constexpr std::size_t copies_max = 4;

std::size_t swaps() {
  const char* const text = std::getenv("WEIR_STRESS_SWAPS");
  return text == nullptr ? 50 : std::strtoull(text, nullptr, 10);
}

// The same plugin, whose every version has a number of its own: in its definition, so that its
// fingerprint differs, and in what its steps put out.
class Versions {
 public:
  explicit Versions(const fs::path& folder) : made_(folder / "made"), file_(folder / "swap.so") {}

  const fs::path& put(std::size_t number) const {
    std::string bytes = template_;
    bytes.replace(place_, 7, std::to_string(1'000'000 + number));
    std::ofstream(made_, std::ios::binary) << bytes;
    fs::rename(made_, file_);
    return file_;
  }

 private:
  fs::path made_;
  fs::path file_;
  std::string template_ = testing::bytes_of(testing::built("numbered"));
  std::size_t place_ = template_.find("1000000");
};

std::set<std::string> mapped_copies(const fs::path& stage) {
  std::set<std::string> copies;
  const std::vector<FileMapping> all = file_mappings().value();
  for (const FileMapping& each : all)
    if (each.path.starts_with(stage.native())) copies.insert(each.path);
  return copies;
}

std::size_t in_memory() {
  const LibraryReaper::Counts counts = LibraryReaper::of_process().counts();
  return counts.held + counts.queued + counts.pinned;
}

struct Tally {
  std::atomic<std::size_t> runs = 0;
  std::atomic<std::size_t> on_former = 0;  // runs of a version that was not the newest
  std::atomic<std::size_t> failed = 0;
  std::atomic<std::size_t> mixed = 0;
};

// Each run is of one version, whatever becomes of the registry meanwhile.
void run_on(const FlowHandle& flow, Tally& tally) {
  const std::string number = std::to_string(flow->definition.steps()[0].options.timeout.count());
  for (std::size_t call = 0; call < calls_in_a_run; ++call) {
    const std::string said = testing::run(*flow->steps[call % 2]);
    if (said == "failed") ++tally.failed;
    if (said != number) ++tally.mixed;
  }
  ++tally.runs;
}

}  // namespace

TEST_SUITE("stress") {
  TEST_CASE("V2: runs at full speed while their plugin is swapped never see a mixed version") {
    const testing::TemporaryFolder folder;
    const fs::path stage_base = folder.path() / "stages";
    fs::create_directory(stage_base);
    auto stage = StageDirectory::open(stage_base);
    REQUIRE(stage.has_value());
    const fs::path staged = stage->path();
    const PluginLoader loader(*std::move(stage));
    const Versions versions(folder.path());
    const Slug slug = Slug::parse("good").value();
    std::atomic<std::size_t> pinned = 0;
    const auto watch = LibraryReaper::of_process().observe(
        {.unloaded = {}, .pinned = [&](const LibraryReaper::UnloadReport&) { ++pinned; }});

    FlowRegistry registry;
    Tally tally;
    std::atomic<bool> stop = false;
    std::vector<std::jthread> threads;
    std::vector<UnloadTicket> tickets;
    const auto commit = [&](FlowRegistry::Transaction& transaction) {
      const auto committed = transaction.commit();
      if (committed) tickets.push_back(committed->unload);
      return committed.has_value();
    };
    // Asking a ticket ends what readers kept from ending at the commit.
    const auto few_in_memory = [&] {
      std::erase_if(tickets, [](const UnloadTicket& each) { return each.ready(); });
      return in_memory() < copies_max;
    };
    for (unsigned i = 0; i < threads_count; ++i)
      threads.emplace_back([&, i] {
        std::mt19937 random(i);
        while (!stop) {
          FlowHandle flow;
          if (random() % 4 == 0) {
            std::vector<FlowHandle> all = registry.versions(slug);
            if (!all.empty()) flow = std::move(all.back());
            if (all.size() > 1) ++tally.on_former;
          } else if (auto newest = registry.get(slug)) {
            flow = *std::move(newest);
          }
          if (flow) run_on(flow, tally);
        }
      });

    const std::size_t count = swaps();
    std::size_t swapped = 0;
    std::size_t refused = 0;
    std::size_t most = 0;
    std::string former;  // fingerprint
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t number = 0; number <= count; ++number) {
      // Nothing bounds how long a run may hold its version: whoever swaps waits for those that do.
      if (!testing::eventually(few_in_memory)) break;
      const std::array<fs::path, 1> file = {versions.put(number)};
      std::vector<LoadResult> loaded = loader.load(file);
      if (!loaded.front()) {
        ++refused;
        continue;
      }
      // Nothing is mapped while this is looked at: all that is found was there at one moment.
      most = std::max(most, mapped_copies(staged).size());
      FlowRegistry::Transaction transaction = registry.begin();
      std::string fingerprint = loaded.front()->modules.front().definition.fingerprint();
      transaction.succeed(std::move(loaded.front()->modules.front()));
      if (!former.empty() && number % 3 != 0) transaction.retire(slug, former);
      if (!commit(transaction)) ++refused;
      if (number % 3 == 0) {  // both stand side by side for a while
        FlowRegistry::Transaction later = registry.begin();
        if (!former.empty()) later.retire(slug, former);
        if (!commit(later)) ++refused;
      }
      former = std::move(fingerprint);
      ++swapped;
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    stop = true;
    threads.clear();
    CHECK(swapped == count + 1);
    CHECK(registry.unregister(ModuleName::parse("test.Good").value()));
    CHECK(LibraryReaper::of_process().wait_until_idle(std::chrono::steady_clock::now() + 30s));

    std::printf(
        "%zu swaps in %.2f s: %zu runs of %zu calls, %zu of them on a former version, %zu calls "
        "failed, %zu mixed, %zu swaps refused, at most %zu copies mapped, %zu left\n",
        count, std::chrono::duration<double>(took).count(), tally.runs.load(), calls_in_a_run,
        tally.on_former.load(), tally.failed.load(), tally.mixed.load(), refused, most,
        mapped_copies(staged).size());
    CHECK(tally.runs > 0);
    CHECK(tally.failed == 0);
    CHECK(tally.mixed == 0);
    CHECK(refused == 0);
    CHECK(pinned == 0);
    CHECK(most <= copies_max);
    CHECK(mapped_copies(staged).empty());
    CHECK(fs::is_empty(staged));
    CHECK(in_memory() == 0);
  }
}

}  // namespace weir
