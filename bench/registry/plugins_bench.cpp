// A thousand plugins: what Weir does with the files, and beside it dlopen alone. Each time in a
// child process, which begins with nothing loaded. All files are in the page cache.
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/abi/plugin.h>

#include "base/sha256.hpp"
#include "bench/required.hpp"
#include "cpu_time.hpp"
#include "plugin/dependency_state.hpp"
#include "plugin/inspect_files.hpp"
#include "plugin/inspection.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_folder.hpp"
#include "plugin/scanner.hpp"
#include "plugin/verdict_cache.hpp"
#include "registry/flow_registry.hpp"
#include "support/load_folders.hpp"
#include "support/temporary_folder.hpp"

namespace weir::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t plugins = 1'000;

/// Copies of one plugin under names of their own, inside and out.
class PluginCopies {
 public:
  PluginCopies() {
    std::ifstream file(WEIR_BENCH_PLUGIN, std::ios::binary);
    const std::string made{std::istreambuf_iterator<char>(file), {}};
    for (std::size_t i = 1; i <= plugins; ++i) {
      constexpr std::string_view name = "p000000";
      const std::string own = fmt::format("p{:06}", i);
      std::string bytes = made;
      std::size_t names = 0;
      for (auto at = bytes.find(name); at != std::string::npos; at = bytes.find(name, at), ++names)
        bytes.replace(at, name.size(), own);
      if (names == 0) fail("the plugin to be copied has no name to write over");
      folder_.write(own + ".so", bytes);
    }
  }
  const fs::path& folder() const { return folder_.path(); }
  std::vector<fs::path> files() const { return required(discover(folder())); }

  static const PluginCopies& made() {
    static const PluginCopies copies;
    return copies;
  }

 private:
  testing::TemporaryFolder folder_;
};

// Runs `work(Stopwatch&)` in a child, and gives the seconds on that watch.
template <class Work>
double in_a_child(Work&& work) {
  int ends[2];
  if (::pipe(ends) != 0) fail("no pipe");
  const pid_t child = ::fork();
  if (child < 0) fail("no child process");
  if (child == 0) {
    Stopwatch watch;
    work(watch);
    const double seconds = watch.seconds();
    ::_exit(::write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? 0 : 1);
  }
  ::close(ends[1]);
  double seconds = 0;
  const bool told = ::read(ends[0], &seconds, sizeof seconds) == sizeof seconds;
  ::close(ends[0]);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0 || !told) fail("a child process failed");
  return seconds;
}

StageDirectory stage() { return required(StageDirectory::open()); }

void open_library(const fs::path& file) {
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr || ::dlsym(library, WEIR_PLUGIN_SYMBOL) == nullptr) fail(::dlerror());
}

void dlopen_alone(Stopwatch& watch) {
  const std::vector<fs::path> files = PluginCopies::made().files();
  watch.time_by_the_clock([&] {
    for (const fs::path& file : files) open_library(file);
  });
}

// What dlopen would need at least, too, for nobody to change a library after it was looked at.
void dlopen_of_private_copies(Stopwatch& watch) {
  const std::vector<fs::path> files = PluginCopies::made().files();
  const StageDirectory folder = stage();
  watch.time_by_the_clock([&] {
    for (const fs::path& file : files) {
      const fs::path copy = folder.path() / file.filename();
      fs::copy_file(file, copy);
      open_library(copy);
    }
  });
}

// Staged before the watch runs: what the child needs for its part.
void scan(Stopwatch& watch) {
  const StageDirectory folder = stage();
  std::vector<StagedCopy> copies;
  std::vector<Scanner::Order> orders;
  for (const fs::path& path : PluginCopies::made().files()) {
    const TrustedFile file = required(read_trusted(path));
    copies.push_back(required(folder.put(file)));
    orders.push_back(
        {.file = {.path = path.string(), .sha256 = file.sha256}, .staged = copies.back().path()});
  }
  Scanner scanner;
  watch.time_by_the_clock([&] {
    Scanner::Session(scanner).scan(orders,
                                   [](std::size_t, const std::optional<PluginError>& refused) {
                                     if (refused) fail(to_string(*refused));
                                   });
  });
  if (scanner.started() != 1) fail("one child was to scan all");
}

// The goal for what does it all: 1.1 times the first, and the second.
void dlopen_and_scan(Stopwatch& watch) {
  Stopwatch loading;
  dlopen_alone(loading);
  watch.add(loading.times(1.1));
  scan(watch);
}

void load_with(LoaderParts parts, Stopwatch& watch) {
  const PluginLoader loader(stage(), {}, parts);
  FlowRegistry registry;
  const fs::path& folder = PluginCopies::made().folder();
  testing::LoadReport report;
  watch.time_by_the_clock([&] { report = testing::load_folders(loader, {folder}, registry); });
  if (!report.refused.empty()) fail(to_string(report.refused.front()));
}

void load(Stopwatch& watch) { load_with({}, watch); }

void load_and_scan(Stopwatch& watch) {
  Scanner scanner;
  load_with({.scanner = &scanner}, watch);
  if (scanner.scanned() != plugins) fail("not all were scanned");
}

// A restart: all verdicts are in the file, whose reading counts.
void load_known(Stopwatch& watch) {
  const testing::TemporaryFolder folder;
  {
    Scanner scanner;
    VerdictCache verdicts(folder.path() / "verdicts");
    DependencyState dependencies;
    for (const fs::path& path : PluginCopies::made().files())
      verdicts.put(
          VerdictCache::key_of(required(inspect_bytes(required(read_trusted(path)))), dependencies),
          std::nullopt);
    if (!verdicts.save()) fail("the verdicts can't be saved");
  }
  Scanner scanner;
  std::optional<VerdictCache> verdicts;
  watch.time_by_the_clock([&] { verdicts.emplace(folder.path() / "verdicts"); });
  load_with({.scanner = &scanner, .verdicts = &*verdicts}, watch);
  if (scanner.scanned() != 0) fail("a plugin was scanned again");
}

// What is known of plugins before any of their code runs.
void manifests(Stopwatch& watch) {
  const fs::path& folder = PluginCopies::made().folder();
  watch.time_by_the_clock([&] {
    for (auto& inspection : inspect_files(required(discover(folder))))
      benchmark::DoNotOptimize(required(std::move(inspection)));
  });
}

std::vector<TrustedFile> all_read() {
  std::vector<TrustedFile> all;
  for (const fs::path& file : PluginCopies::made().files())
    all.push_back(required(read_trusted(file)));
  return all;
}

// The parts of it.
void read_and_hash(Stopwatch& watch) {
  const std::vector<fs::path> files = PluginCopies::made().files();
  watch.time([&] {
    TrustedFiles trusted;
    for (const fs::path& file : files) benchmark::DoNotOptimize(required(trusted.read(file)));
  });
}
void hash(Stopwatch& watch) {
  const std::vector<TrustedFile> files = all_read();
  watch.time([&] {
    for (const TrustedFile& file : files) benchmark::DoNotOptimize(sha256_hex(file.bytes));
  });
}
void parse_and_build(Stopwatch& watch) {
  const std::vector<TrustedFile> files = all_read();
  watch.time([&] {
    for (const TrustedFile& file : files) benchmark::DoNotOptimize(required(inspect_bytes(file)));
  });
}
void private_copies(Stopwatch& watch) {
  const std::vector<TrustedFile> files = all_read();
  const StageDirectory folder = stage();
  watch.time([&] {
    std::vector<StagedCopy> copies;  // else each would be removed again
    for (const TrustedFile& file : files) copies.push_back(required(folder.put(file)));
  });
}

void measured(benchmark::State& state, void (*work)(Stopwatch&)) {
  PluginCopies::made();
  for (auto _ : state) {
    const double seconds = in_a_child(work);
    state.SetIterationTime(seconds);
    state.counters["figure"] = seconds * 1e3;
  }
}

#define WEIR_BENCH_PLUGINS(work) \
  BENCHMARK_CAPTURE(measured, work, work)->Name("plugins/" #work)->UseManualTime()->Iterations(1)
WEIR_BENCH_PLUGINS(dlopen_alone);
WEIR_BENCH_PLUGINS(dlopen_of_private_copies);
WEIR_BENCH_PLUGINS(load);
WEIR_BENCH_PLUGINS(load_and_scan);
WEIR_BENCH_PLUGINS(load_known);
WEIR_BENCH_PLUGINS(scan);
WEIR_BENCH_PLUGINS(dlopen_and_scan);
WEIR_BENCH_PLUGINS(manifests);
WEIR_BENCH_PLUGINS(read_and_hash);
WEIR_BENCH_PLUGINS(hash);
WEIR_BENCH_PLUGINS(parse_and_build);
WEIR_BENCH_PLUGINS(private_copies);

}  // namespace
}  // namespace weir::bench
