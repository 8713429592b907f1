#include "base/oom_kills.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include "support/temporary_folder.hpp"

namespace weir {
namespace {

// The files of a system's cgroups.
struct System {
  testing::TemporaryFolder folder;
  void has(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / file).parent_path());
    folder.write(file, text);
  }
  std::optional<std::uint64_t> kills() const {
    return oom_kills(folder.path() / "cgroup", folder.path() / "fs");
  }
};

}  // namespace

TEST_SUITE("kills for want of memory") {
  TEST_CASE("F10: the count of the own group of cgroup v2 is read") {
    const System system;
    system.has("cgroup", "0::/weir.service\n");
    system.has("fs/weir.service/memory.events", "low 0\nhigh 2\nmax 9\noom 3\noom_kill 2\n");
    system.has("fs/memory.events", "oom_kill 5\n");
    CHECK(system.kills() == 2);
  }

  TEST_CASE("F10: the count of the own group of cgroup v1 is read") {
    const System system;
    system.has("cgroup", "9:name=systemd:/a\n5:memory:/weir\n0::/\n");
    system.has("fs/memory/weir/memory.oom_control",
               "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    CHECK(system.kills() == 4);
  }

  TEST_CASE("F10: a system that counts no kills has no count") {
    const System system;
    CHECK_FALSE(system.kills().has_value());
    system.has("cgroup", "0::/\nno line of that form\n");
    CHECK_FALSE(system.kills().has_value());
    system.has("fs/memory.events", "low 0\n");
    CHECK_FALSE(system.kills().has_value());
  }

  TEST_CASE("F10: a process that was killed says what the kernel did and no other does") {
    const ProcessEnd killed{.by_signal = true, .number = SIGKILL};
    CHECK(text_of_oom_kills(killed, 2, 3) ==
          "; the kernel's out-of-memory killer ended 1 process of this cgroup meanwhile");
    CHECK(text_of_oom_kills(killed, 2, 5) ==
          "; the kernel's out-of-memory killer ended 3 processes of this cgroup meanwhile");
    CHECK(text_of_oom_kills(killed, 2, 2) == "");
    CHECK(text_of_oom_kills(killed, {}, 2) == "");
    CHECK(text_of_oom_kills({.by_signal = true, .number = SIGSEGV}, 2, 3) == "");
    CHECK(text_of_oom_kills({.number = SIGKILL}, 2, 3) == "");
  }
}

}  // namespace weir
