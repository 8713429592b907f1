#include "plugin/stage.hpp"

#include <atomic>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

const TrustedFile file{.path = "a.so", .bytes = "bytes", .sha256 = "0123abcd"};

auto entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

unsigned mode(const fs::path& path) {
  return static_cast<unsigned>(fs::status(path).permissions());
}

// What `work` returns in a process of its own, which then ends at once.
template <class Work>
int status_of_child(Work work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

void crash_with_stage(const fs::path& base) {
  REQUIRE(status_of_child([&]() -> int {
            const auto stage = StageDirectory::open(base);
            ::_exit(stage && stage->put(file) ? 0 : 1);
          }) == 0);
}

}  // namespace

TEST_SUITE("plugin: stage") {
  TEST_CASE("a stage is private and its copies are named by their hash") {
    const TemporaryFolder base;
    const auto stage = StageDirectory::open(base.path());
    REQUIRE(stage.has_value());
    CHECK(stage->path().parent_path() == base.path());
    CHECK(mode(stage->path()) == 0700);
    const auto copy = stage->put(file);
    REQUIRE(copy.has_value());
    CHECK(*copy == stage->path() / "0123abcd.so");
    CHECK(bytes_of(*copy) == "bytes");
    CHECK(mode(*copy) == 0500);
  }

  TEST_CASE("the same file is staged once") {
    const TemporaryFolder base;
    const auto stage = StageDirectory::open(base.path());
    REQUIRE(stage.has_value());
    const auto inode = [](const fs::path& path) {
      struct stat status{};
      REQUIRE(::stat(path.c_str(), &status) == 0);
      return status.st_ino;
    };
    const StagedCopy first = stage->put(file).value();
    CHECK(inode(stage->put(file).value()) == inode(first));
    CHECK(entries(stage->path()) == 1);
  }

  TEST_CASE("a copy stays while anybody holds it and goes with the last hold") {
    const TemporaryFolder base;
    const auto stage = StageDirectory::open(base.path());
    REQUIRE(stage.has_value());
    std::optional<StagedCopy> first = stage->put(file).value();
    std::optional<StagedCopy> second = stage->put(file).value();
    std::optional<StagedCopy> copied = second;
    first.reset();
    second.reset();
    CHECK(bytes_of(*copied) == "bytes");
    copied.reset();
    CHECK(entries(stage->path()) == 0);
    CHECK(bytes_of(stage->put(file).value()) == "bytes");
  }

  TEST_CASE("a hold that ends while the file is put again does not take it away") {
    const TemporaryFolder base;
    const auto stage = StageDirectory::open(base.path());
    REQUIRE(stage.has_value());
    std::atomic<int> missing = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
          for (int round = 0; round < 500; ++round)
            if (const auto copy = stage->put(file); !copy || !fs::exists(copy->path())) ++missing;
        });
    }
    CHECK(missing == 0);
    CHECK(entries(stage->path()) == 0);
  }

  TEST_CASE("a hold may outlive its stage") {
    const TemporaryFolder base;
    const StagedCopy copy = StageDirectory::open(base.path()).value().put(file).value();
    CHECK_FALSE(fs::exists(copy.path()));
  }

  TEST_CASE("a stage is gone when its owner is") {
    const TemporaryFolder base;
    {
      auto stage = StageDirectory::open(base.path());
      REQUIRE(stage.has_value());
      REQUIRE(stage->put(file).has_value());
      const StageDirectory moved = *std::move(stage);
      CHECK(entries(base.path()) == 1);
    }
    CHECK(entries(base.path()) == 0);
  }

  TEST_CASE(
      "what a killed process left is removed by the next one and living ones are left alone") {
    const TemporaryFolder base;
    crash_with_stage(base.path());
    crash_with_stage(base.path());
    CHECK(entries(base.path()) == 1);  // the second removed what the first left
    const auto living = StageDirectory::open(base.path());
    REQUIRE(living.has_value());
    const auto other = StageDirectory::open(base.path());
    REQUIRE(other.has_value());
    CHECK(entries(base.path()) == 2);
    CHECK(fs::exists(living->path()));
  }

  TEST_CASE("a base that is not there is refused as stage_failed") {
    const TemporaryFolder base;
    const fs::path missing = base.path() / "missing";
    const auto stage = StageDirectory::open(missing);
    REQUIRE_FALSE(stage.has_value());
    CHECK(refusal_text(stage.error(), missing) ==
          "not_loaded/stage_failed at stage: no folder for private copies can be created in it: No "
          "such file or "
          "directory (plugins are copied to a private folder before they are loaded; free some "
          "room, or set "
          "XDG_RUNTIME_DIR to a folder Weir may write to)");
  }

  TEST_CASE("a base that forbids code is refused as noexec_mount") {
    const TemporaryFolder base;
    constexpr int cannot_mount = 77;
    const int status = status_of_child([&] {
      if (::unshare(CLONE_NEWNS) != 0 ||
          ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0 ||
          ::mount("tmpfs", base.path().c_str(), "tmpfs", MS_NOEXEC, nullptr) != 0)
        return cannot_mount;
      const auto stage = StageDirectory::open(base.path());
      return !stage && to_string(stage.error()) ==
                           base.path().string() +
                               ": noexec_mount: its file system is mounted noexec, so no code can "
                               "be loaded "
                               "from it (choose a folder on another file system)"
                 ? 0
                 : 1;
    });
    if (status == cannot_mount) {
      MESSAGE("skipped: this user may not mount");
      return;
    }
    CHECK(status == 0);
  }

  TEST_CASE("a disk that is full is refused as stage_failed and leaves nothing half written") {
    const TemporaryFolder base;
    const auto stage = StageDirectory::open(base.path());
    REQUIRE(stage.has_value());
    CHECK(status_of_child([&] {
            const rlimit two_bytes{2, 2};  // stands for the full disk
            ::setrlimit(RLIMIT_FSIZE, &two_bytes);
            ::signal(SIGXFSZ, SIG_IGN);
            const auto copy = stage->put(file);
            return !copy && copy.error().kind == PluginFault::stage_failed ? 0 : 1;
          }) == 0);
    CHECK(entries(stage->path()) == 0);
  }
}
