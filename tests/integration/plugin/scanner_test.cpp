#include "plugin/scanner.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/inspection.hpp"
#include "plugin/stage.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/trusted_umask.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, "\n")).c_str();
  }
};
}  // namespace doctest

namespace {

// Set: once a child is ready, the next calls of recv() receive what a plugin printed.
std::atomic<bool> prints = false;
std::atomic<int> printed_left = 0;

/// A stage of its own, and what a scanner says of variants of tests/fixtures/bad_plugins.
class Scans {
 public:
  explicit Scans(std::chrono::milliseconds limit = 10s)
      : scanner_({.program = SCAN_CHILD, .arguments = {}, .limit = limit}) {
    REQUIRE(stage_.has_value());
  }

  /// For each "sound", or "KIND at STAGE: detail".
  std::vector<std::string> of(const std::vector<std::string_view>& variants) {
    std::vector<Scanner::Order> orders;
    for (const std::string_view variant : variants) orders.push_back(order(variant));
    std::vector<std::string> verdicts;
    Scanner::Session(scanner_).scan(
        orders, [&](std::size_t i, const std::optional<PluginError>& refused) {
          CHECK(i == verdicts.size());
          if (refused) {
            CHECK(refused->path == orders[i].file.path);
            CHECK(refused->sha256 == orders[i].file.sha256);
            CHECK_FALSE(refused->hint.empty());
          }
          verdicts.push_back(refused ? fmt::format("{} at {}: {}", name(refused->kind),
                                                   name(refused->stage), refused->detail)
                                     : "sound");
        });
    return verdicts;
  }

  const Scanner& scanner() const { return scanner_; }

 private:
  Scanner::Order order(std::string_view variant) {
    const auto file = read_trusted(fs::path(BAD_PLUGINS) / (std::string(variant) + ".so"), {});
    REQUIRE_MESSAGE(file.has_value(), to_string(file.error()));
    copies_.push_back(stage_->put(*file).value());
    return {.file = {.path = file->path.string(), .sha256 = file->sha256},
            .staged = copies_.back().path()};
  }

  std::expected<StageDirectory, PluginError> stage_ = StageDirectory::open();
  std::vector<StagedCopy> copies_;
  Scanner scanner_;
};

using Words = std::vector<std::string>;

// Whoever is left without a parent becomes this process's child from now on.
void adopt_orphans() { REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }
bool has_no_children() {
  siginfo_t any{};
  return ::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

}  // namespace

// In place of libc's: no child prints faster than a scanner reads, but on a busy machine.
extern "C" ssize_t recv(int socket, void* into, std::size_t room, int flags) {
  if (printed_left > 0) {
    --printed_left;
    *static_cast<char*>(into) = 'x';
    return 1;
  }
  const ssize_t size = ::syscall(SYS_recvfrom, socket, into, room, flags, nullptr, nullptr);
  if (size > 0 && prints.exchange(false)) printed_left = 100'000'000;
  return size;
}

TEST_SUITE("plugin: scanner") {
  TEST_CASE("good plugins are sound and one child takes them all") {
    Scans scans;
    CHECK(scans.of({"good", "other_flow", "second_version", "stripped"}) ==
          Words{"sound", "sound", "sound", "sound"});
    CHECK(scans.scanner().scanned() == 4);
    CHECK(scans.scanner().started() == 1);
  }

  TEST_CASE("no orders need no child") {
    Scans scans;
    CHECK(scans.of({}).empty());
    CHECK(scans.scanner().started() == 0);
  }

  TEST_CASE("what shows only in memory is told as the host would") {
    Scans scans;
    CHECK(
        scans.of({"run_null", "good", "wild_steps", "other_name", "note_differs"}) ==
        Words{"bad_descriptor at stage: flow \"good\", step \"second\": run is null", "sound",
              "bad_descriptor at stage: flow \"good\": its steps lie outside of this file's memory",
              "manifest_mismatch at stage: its name is \"by_foot\", in the manifest \"by_hand\"",
              "manifest_mismatch at stage: the manifest it points to is not the one in the note"});
    CHECK(scans.scanner().started() == 1);
  }

  TEST_CASE("what the loader refuses is told in its words and costs no respawn") {
    Scans scans;
    const Words verdicts = scans.of({"undefined_symbol", "good"});
    CHECK(verdicts[0].starts_with("load_failed at stage: "));
    CHECK(verdicts[0].contains("undefined symbol: neighbour"));
    CHECK(verdicts[1] == "sound");
    CHECK(scans.scanner().started() == 1);
  }

  TEST_CASE("case 19: a constructor that writes to null is scan_crashed and costs one respawn") {
    Scans scans;
    CHECK(scans.of({"good", "writes_to_null", "other_flow"}) ==
          Words{"sound", "scan_crashed at scan: loading it ends the process by SIGSEGV", "sound"});
    CHECK(scans.scanner().started() == 2);
  }

  TEST_CASE("case 20: a constructor that throws is scan_crashed and costs one respawn") {
    Scans scans;
    CHECK(scans.of({"good", "throws", "other_flow"}) ==
          Words{"sound", "scan_crashed at scan: loading it ends the process by SIGABRT", "sound"});
    CHECK(scans.scanner().started() == 2);
  }

  TEST_CASE("case 21: a constructor that hangs is scan_timeout and costs one respawn") {
    Scans scans(300ms);
    CHECK(scans.of({"good", "hangs", "other_flow"}) ==
          Words{"sound", "scan_timeout at scan: loading it did not end within 300 ms", "sound"});
    CHECK(scans.scanner().started() == 2);
  }

  TEST_CASE("case 22: a constructor that exits is scan_exited with its status") {
    Scans scans;
    CHECK(scans.of({"exits", "exits_with_status", "good"}) ==
          Words{"scan_exited at scan: loading it ends the process with exit status 0",
                "scan_exited at scan: loading it ends the process with exit status 7", "sound"});
    CHECK(scans.scanner().started() == 3);
  }

  TEST_CASE("case 23: a result that a constructor prints on any descriptor is not believed") {
    Scans scans;
    CHECK(scans.of({"good", "prints_results", "other_flow"}) ==
          Words{"sound", "scan_crashed at scan: loading it ends the process by SIGABRT", "sound"});
    CHECK(scans.scanner().started() == 2);
  }

  TEST_CASE("case 23: what is printed without end does not keep a scanner from its time limit") {
    Scans scans(50ms);
    prints = true;
    CHECK(scans.of({"hangs"}) ==
          Words{"scan_timeout at scan: loading it did not end within 50 ms"});
    CHECK(printed_left.exchange(0) > 0);
  }

  TEST_CASE("a scanner needs no more descriptors than a process may have") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    Scans scans;
    const Words verdicts = scans.of({"good", "prints_results", "good"});
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(verdicts ==
          Words{"sound", "scan_crashed at scan: loading it ends the process by SIGABRT", "sound"});
  }

  TEST_CASE("a constructor that closes all descriptors is scan_exited") {
    Scans scans;
    CHECK(scans.of({"closes_descriptors", "good"}) ==
          Words{"scan_exited at scan: loading it ends the process with exit status 1", "sound"});
  }

  TEST_CASE("case 24: who forks is blamed for it and who crashes after it for that") {
    adopt_orphans();
    Scans scans;
    const std::string forked =
        "scan_crashed at scan: loading it starts another process, which ends the scanner by SIGSYS";
    CHECK(scans.of({"forks", "aborts", "good", "forks_away", "aborts", "runs_a_program", "good"}) ==
          Words{forked, "scan_crashed at scan: loading it ends the process by SIGABRT", "sound",
                forked, "scan_crashed at scan: loading it ends the process by SIGABRT", forked,
                "sound"});
    CHECK(scans.scanner().started() == 6);
    CHECK(eventually(has_no_children));
  }

  TEST_CASE("case 25: a constructor that leaves a thread running is starts_threads") {
    Scans scans;
    CHECK(scans.of({"good", "starts_a_thread", "other_flow"}) ==
          Words{"sound", "starts_threads at scan: loading it leaves 1 thread running", "sound"});
    CHECK(scans.scanner().started() == 2);
  }

  TEST_CASE("case 25: a thread that ends at once is none") {
    Scans scans;
    CHECK(scans.of({"starts_a_short_thread", "good"}) == Words{"sound", "sound"});
    CHECK(scans.scanner().started() == 1);
  }

  TEST_CASE("more than one batch is one child's work") {
    Scans scans;
    const std::vector<std::string_view> many(200, "good");
    CHECK(scans.of(many) == Words(200, "sound"));
    CHECK(scans.scanner().started() == 1);
  }

  TEST_CASE("a scanner that can't be started refuses without blame") {
    Scanner scanner({.program = "/nowhere/weir"});
    const std::vector<Scanner::Order> orders(2, {.file = {"/x.so", "00"}, .staged = "/x.so"});
    std::size_t refusals = 0;
    Scanner::Session(scanner).scan(orders,
                                   [&](std::size_t i, const std::optional<PluginError>& refused) {
                                     CHECK(i == refusals++);
                                     REQUIRE(refused.has_value());
                                     CHECK(refused->kind == PluginFault::stage_failed);
                                     CHECK(refused->path == "/x.so");
                                   });
    CHECK(refusals == 2);
    CHECK(scanner.scanned() == 0);
  }

  TEST_CASE("a child that is no scanner refuses without blame") {
    Scanner scanner({.program = "/bin/false"});
    const std::vector<Scanner::Order> orders(1, {.file = {"/x.so", "00"}, .staged = "/x.so"});
    Scanner::Session(scanner).scan(orders,
                                   [&](std::size_t, const std::optional<PluginError>& refused) {
                                     REQUIRE(refused.has_value());
                                     CHECK(refused->kind == PluginFault::stage_failed);
                                     CHECK(refused->detail.ends_with("exit status 1"));
                                   });
  }
}
