#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "unit/isolated/plugin_rig.hpp"

TEST_SUITE_BEGIN("isolated: what a step has and has not");

namespace {
using namespace weir;
using weir::testing::PluginRig;
using weir::testing::result_text;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
}  // namespace

TEST_CASE("An isolated step sees nothing of the worker's environment but what is kept on purpose") {
  ::setenv("WEIR_DATABASE", "postgresql://secret", 1);
  ::setenv("PGPASSWORD", "secret", 1);
  ::setenv("PATH", "/bin:/usr/bin", 1);
  PluginRig rig;
  const std::string seen = result_text(rig.run("environment"));
  CAPTURE(seen);
  CHECK(seen.contains("PATH;"));
  CHECK_FALSE(seen.contains("WEIR"));
  CHECK_FALSE(seen.contains("PG"));
}

TEST_CASE("An isolated step sees the standard descriptors and four to its worker") {
  PluginRig rig;
  CHECK(result_text(rig.run("descriptors")) == "completed: \"0;1;2;3;4;5;6;\"");
}

TEST_CASE("An isolated step starts no process and no program") {
  PluginRig rig;
  CHECK(result_text(rig.run("processes")) ==
        "completed: \"fork=Operation not permitted;spawn=Operation not permitted;"
        "exec=Operation not permitted;ptrace=Operation not permitted;system=32512;\"");
}

TEST_CASE("An isolated step leaves no core and has its limits") {
  auto options = weir::testing::isolated_options();
  if (!sanitized) options.memory_bytes = 1'000'000'000;
  PluginRig rig(weir::testing::deeds(), options);
  CHECK(result_text(rig.run("limits")) ==
        (sanitized ? "completed: \"0;1024;-;\"" : "completed: \"0;1024;1000000000;\""));
}

TEST_CASE("A step that wants more memory than its process may have fails alone") {
  if (sanitized) return;  // it needs the address space for itself
  auto options = weir::testing::isolated_options();
  options.memory_bytes = 512 * 1024 * 1024;
  PluginRig rig(weir::testing::deeds(), options);
  CHECK(result_text(rig.run("eat_memory")) == "failed exception: std::bad_alloc");
  CHECK(result_text(rig.run("count")) == "completed: 2");
}

TEST_CASE("A step may reserve more address space than its process may have memory") {
  if (sanitized) return;
  auto options = weir::testing::isolated_options();
  options.memory_bytes = 512 * 1024 * 1024;
  PluginRig rig(weir::testing::deeds(), options);
  CHECK(result_text(rig.run("reserve_memory")) == "completed: \"reserved\"");
}

TEST_SUITE_END();
