#include "plugins/process_order/write_once.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using process_order::write_once;
using weir::testing::ChildProcess;
using weir::testing::TemporaryFolder;

std::optional<std::string> contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::set<std::string> names(const fs::path& folder) {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) found.insert(entry.path().filename());
  return found;
}

using Names = std::set<std::string>;

/// A process that writes "first" and stands still at a system call.
class StoppedWriter {
 public:
  explicit StoppedWriter(const fs::path& folder)
      : child_([&] {
          ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
          ::raise(SIGSTOP);
          return write_once(folder, "entry", "first");
        }) {
    ::waitpid(child_.pid(), &status_, 0);
  }

  /// Goes on by `count` stops, two for each system call: on the way in and on the way out. False
  /// when the writer ended before.
  bool advance(int count) {
    for (int stop = 0; stop < count && WIFSTOPPED(status_); ++stop) {
      REQUIRE(::ptrace(PTRACE_SYSCALL, child_.pid(), nullptr, nullptr) == 0);
      ::waitpid(child_.pid(), &status_, 0);
    }
    return WIFSTOPPED(status_);
  }

  /// Lets it go on to its end and gives what write_once told it.
  std::optional<std::string> answer() {
    REQUIRE(::ptrace(PTRACE_DETACH, child_.pid(), nullptr, nullptr) == 0);
    return child_.answer();
  }

 private:
  ChildProcess child_;  // killed when the object goes
  int status_ = 0;
};

}  // namespace

TEST_SUITE("plugins: write_once") {
  TEST_CASE("the first text stays and every later writer is told it") {
    const TemporaryFolder folder;
    CHECK(write_once(folder.path(), "entry", "first") == "first");
    CHECK(write_once(folder.path(), "entry", "second") == "first");
    CHECK(contents(folder.path() / "entry") == "first");
    CHECK(names(folder.path()) == Names{".pending", "entry"});
    CHECK(names(folder.path() / ".pending").empty());
  }

  TEST_CASE("a text of any size arrives whole") {
    const TemporaryFolder folder;
    const std::string large(1'000'003, 'x');
    CHECK(write_once(folder.path(), "empty", "") == "");
    CHECK(write_once(folder.path(), "large", large) == large);
    CHECK(contents(folder.path() / "large") == large);
  }

  TEST_CASE("what crashed attempts left is removed and nobody else's is touched") {
    const TemporaryFolder folder;
    folder.write(".pending/order-1.json.17-4", "torn");
    folder.write(".pending/order-12.json.17-4", "another order's");
    CHECK(write_once(folder.path(), "order-1.json", "whole") == "whole");
    CHECK(names(folder.path() / ".pending") == Names{"order-12.json.17-4"});
  }

  TEST_CASE("a folder that is not there is named") {
    const TemporaryFolder folder;
    const std::string pending = (folder.path() / "gone" / ".pending").string();
    CHECK_THROWS_WITH_AS(
        write_once(folder.path() / "gone", "entry", "text"),
        ("cannot create the folder " + pending + ": No such file or directory").c_str(),
        std::system_error);
  }

  TEST_CASE("a writer killed at any of its system calls leaves the whole file or none") {
    int absent = 0;
    int whole = 0;
    for (int stop = 1;; ++stop) {
      CAPTURE(stop);
      const TemporaryFolder folder;
      if (!StoppedWriter(folder.path()).advance(stop)) break;
      const auto left = contents(folder.path() / "entry");
      left ? ++whole : ++absent;
      if (left) CHECK(*left == "first");
      CHECK(write_once(folder.path(), "entry", "second") == left.value_or("second"));
      CHECK(names(folder.path()) == Names{".pending", "entry"});
      CHECK(names(folder.path() / ".pending").empty());
    }
    CHECK(absent > 10);
    CHECK(whole > 5);
  }

  TEST_CASE("a writer overtaken at any of its system calls agrees with the one that overtook") {
    std::set<std::string> winners;
    for (int stop = 1;; ++stop) {
      CAPTURE(stop);
      const TemporaryFolder folder;
      StoppedWriter slow(folder.path());
      if (!slow.advance(stop)) break;
      const std::string winner = write_once(folder.path(), "entry", "second");
      CHECK(slow.answer() == winner);
      CHECK(contents(folder.path() / "entry") == winner);
      winners.insert(winner);
    }
    CHECK(winners == Names{"first", "second"});
  }

  TEST_CASE("of many writers killed at random one text wins and all who live agree on it") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 60; ++round) {
      const TemporaryFolder folder;
      std::vector<ChildProcess> writers;
      for (int writer = 0; writer < 5; ++writer) {
        const std::string text = "written by " + std::to_string(writer) + std::string(9'000, '.');
        writers.emplace_back([&folder, text] { return write_once(folder.path(), "entry", text); });
      }
      for (ChildProcess& writer : writers) {
        for (auto turns = random() % 200; turns > 0; --turns) ::sched_yield();
        if (random() % 3 != 0) writer.kill();
      }
      std::set<std::string> answers;
      for (ChildProcess& writer : writers) {
        if (auto answer = writer.answer()) answers.insert(*std::move(answer));
      }
      answers.insert(write_once(folder.path(), "entry", "written last"));
      CHECK(answers.size() == 1);
      CHECK(contents(folder.path() / "entry") == *answers.begin());
      CHECK(answers.begin()->starts_with("written "));
      CHECK(names(folder.path()) == Names{".pending", "entry"});
      CHECK(names(folder.path() / ".pending").empty());
    }
  }
}
