// A thousand plugins: what Weir does with the files, and beside it dlopen alone. Each time in a
// child process, which begins with nothing loaded. All files are in the page cache.
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/abi/plugin.h>

#include "base/sha256.hpp"
#include "cpu_time.hpp"
#include "plugin/inspection.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_folder.hpp"
#include "registry/flow_registry.hpp"
#include "required.hpp"
#include "support/temporary_folder.hpp"

namespace weir::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t plugins = 1'000;

template <class T>
T required(std::expected<T, PluginError> result) {
  if (!result) fail(to_string(result.error()));
  return *std::move(result);
}

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
  watch.time([&] {
    for (const fs::path& file : files) open_library(file);
  });
}

// What dlopen would need at least, too, for nobody to change a library after it was looked at.
void dlopen_of_private_copies(Stopwatch& watch) {
  const std::vector<fs::path> files = PluginCopies::made().files();
  const StageDirectory folder = stage();
  watch.time([&] {
    for (const fs::path& file : files) {
      const fs::path copy = folder.path() / file.filename();
      fs::copy_file(file, copy);
      open_library(copy);
    }
  });
}

void load(Stopwatch& watch) {
  const PluginLoader loader(stage());
  FlowRegistry registry;
  const fs::path& folder = PluginCopies::made().folder();
  LoadReport report;
  watch.time([&] { report = loader.load_folders(std::span(&folder, 1), registry); });
  if (!report.refused.empty()) fail(to_string(report.refused.front()));
}

// What is known of plugins before any of their code runs.
void manifests(Stopwatch& watch) {
  const fs::path& folder = PluginCopies::made().folder();
  watch.time([&] {
    for (const fs::path& file : required(discover(folder)))
      benchmark::DoNotOptimize(required(inspect_bytes(required(read_trusted(file)))));
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
    for (const fs::path& file : files) benchmark::DoNotOptimize(required(read_trusted(file)));
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
    for (const TrustedFile& file : files) required(folder.put(file));
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
WEIR_BENCH_PLUGINS(manifests);
WEIR_BENCH_PLUGINS(read_and_hash);
WEIR_BENCH_PLUGINS(hash);
WEIR_BENCH_PLUGINS(parse_and_build);
WEIR_BENCH_PLUGINS(private_copies);

}  // namespace
}  // namespace weir::bench
