#include "unit/plugin/plugin_files.hpp"

#include <fstream>
#include <iterator>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "plugin/inspection.hpp"
#include "support/load_folders.hpp"
#include "unit/plugin/trusted_umask.hpp"

struct weir_call {
  std::string output;
};

namespace weir::testing {
namespace fs = std::filesystem;
namespace {

void write(const fs::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  REQUIRE(out.flush().good());
}

// Loads the whole folder; what was refused of it.
std::vector<PluginError> refused_beside_good_ones(const PluginFolder& folder) {
  FlowRegistry registry;
  LoadReport report = load_folders(loader(), {folder.path()}, registry);
  for (const char* slug : {"good", "other"}) {
    const auto flow = registry.find(slug);
    REQUIRE_MESSAGE(flow.has_value(), slug << " is live");
    REQUIRE((*flow)->steps.size() == 2);
    CHECK(run(*(*flow)->steps[0]) == "\"first\"");
    CHECK(run(*(*flow)->steps[1]) == "\"second\"");
  }
  CHECK(report.loaded.size() == 2);
  CHECK(registry.list().size() == 2);
  return std::move(report.refused);
}

}  // namespace

fs::path built(std::string_view variant) {
  return fs::path(BAD_PLUGINS) / (std::string(variant) + ".so");
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

PluginLoader loader(TrustPolicy policy) {
  auto stage = StageDirectory::open();
  REQUIRE(stage.has_value());
  return PluginLoader(*std::move(stage), std::move(policy));
}

std::string refusal_text(const PluginError& error, const fs::path& path) {
  CHECK(error.path == path.string());
  return fmt::format("{}/{} at {}: {} ({})", error.family(), name(error.kind), name(error.stage),
                     error.detail, error.hint);
}

PluginFolder::PluginFolder() {
  fs::create_directory(path());
  write(path() / "good.so", bytes_of(built("good")));
  write(path() / "zother.so", bytes_of(built("other_flow")));
}

void PluginFolder::put(std::string_view variant) const { put_bytes(bytes_of(built(variant))); }
void PluginFolder::put_bytes(std::string_view bytes) const { write(middle(), bytes); }

std::string refusal_in(const PluginFolder& folder) {
  const auto inspection = inspect(folder.middle());
  REQUIRE_FALSE(inspection.has_value());
  std::string refusal = refusal_in_memory(folder);
  CHECK(refusal_text(inspection.error(), folder.middle()) == refusal);
  return refusal;
}

std::string refusal_in_memory(const PluginFolder& folder) {
  const auto loaded = loader().load(folder.middle());
  REQUIRE_FALSE(loaded.has_value());
  std::string refusal = refusal_text(loaded.error(), folder.middle());
  const std::vector<PluginError> refused = refused_beside_good_ones(folder);
  REQUIRE(refused.size() == 1);
  CHECK(refusal_text(refused.front(), folder.middle()) == refusal);
  CHECK(refused.front().sha256 == loaded.error().sha256);
  return refusal;
}

void check_good(const PluginFolder& folder) {
  const auto inspection = inspect(folder.middle());
  REQUIRE_MESSAGE(inspection.has_value(), to_string(inspection.error()));
  const auto loaded = loader().load(folder.middle());
  REQUIRE_MESSAGE(loaded.has_value(), to_string(loaded.error()));
  REQUIRE(loaded->size() == 1);
  CHECK(run(*loaded->front().steps[1]) == "\"second\"");
}

std::string run(const weir_step& step) {
  weir_host host{};
  host.struct_size = sizeof host;
  host.abi_major = WEIR_ABI_MAJOR;
  host.output = [](weir_call* call, weir_str json) {
    call->output.assign(json.data, json.size);
    return 0;
  };
  weir_call call;
  return step.run(&host, &call, {"null", 4}, step.user) == WEIR_OK ? call.output : "failed";
}

}  // namespace weir::testing
