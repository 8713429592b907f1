#include "plugins/process_order/ledger.hpp"

#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <system_error>

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using process_order::Charge;
using process_order::Ledger;
using process_order::Money;
using weir::testing::ChildProcess;
using weir::testing::TemporaryFolder;

using Files = std::map<std::string, std::string>;

/// Every file below the folder with what it holds.
Files files(const fs::path& folder) {
  Files found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    found[fs::relative(entry.path(), folder)] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return found;
}

Charge charge(std::int64_t order_id, double amount) { return {order_id, *Money::parse(amount)}; }

std::string refusal(const fs::path& folder) {
  const auto ledger = Ledger::open(folder);
  return ledger ? "opened" : ledger.error();
}

}  // namespace

TEST_SUITE("plugins: ledger") {
  TEST_CASE("an order is one entry and one confirmation however often it is charged") {
    const TemporaryFolder folder;
    const auto ledger = Ledger::open(folder.path() / "ledger");
    REQUIRE(ledger);
    for (int attempt = 0; attempt < 3; ++attempt) {
      CHECK(ledger->charge(charge(123, 99.99)) == charge(123, 99.99));
      CHECK(ledger->confirm(charge(123, 99.99)) == ledger->folder() / "outbox" / "order-123.txt");
    }
    CHECK(ledger->charge(charge(12, 7)) == charge(12, 7));
    CHECK(
        files(ledger->folder()) ==
        Files{{"order-12.json", "{\"order_id\": 12, \"amount\": 7.00}\n"},
              {"order-123.json", "{\"order_id\": 123, \"amount\": 99.99}\n"},
              {"outbox/order-123.txt", "Thank you for your order 123.\nWe have charged 99.99.\n"}});
  }

  TEST_CASE("another amount for a charged order is refused and names both") {
    const TemporaryFolder folder;
    const auto ledger = Ledger::open(folder.path());
    REQUIRE(ledger->charge(charge(5, 99.99)));
    CHECK(ledger->charge(charge(5, 100)).error() == "order 5 is already charged with 99.99 in " +
                                                        ledger->entry(5).string() +
                                                        ", so it cannot be charged with 100.00");
    CHECK(ledger->charge(charge(5, 99.99)));
  }

  TEST_CASE("a damaged entry is left alone and named") {
    const TemporaryFolder folder;
    const auto ledger = Ledger::open(folder.path());
    for (const std::string text :
         {"", "{", "[]", "{\"order_id\": 6, \"amount\": 1}", "{\"order_id\": 5}",
          "{\"order_id\": 5, \"amount\": -1}", "{\"order_id\": 5, \"amount\": \"1\"}"}) {
      folder.write("order-5.json", text);
      CHECK(ledger->charge(charge(5, 1)).error() ==
            ledger->entry(5).string() + " is no entry for order 5: mend or remove it");
      CHECK(files(folder.path())["order-5.json"] == text);
    }
  }

  TEST_CASE("a ledger that cannot be one is refused with the reason") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("file", "");
    const std::string path = folder.path();
    CHECK(refusal("") == "ledger is empty: name the folder that keeps the entries");
    CHECK(refusal(folder.path() / "none" / "ledger") ==
          "ledger " + path + "/none/ledger is no folder to write to: " +
              "No such file or directory (the folder above it must exist)");
    CHECK(refusal(file) == "ledger " + path + "/file is no folder to write to: Not a directory");
    CHECK(refusal(file / "ledger") ==
          "ledger " + path + "/file/ledger is no folder to write to: Not a directory");
  }

  TEST_CASE("a ledger without write permission is refused") {
    const TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    ChildProcess child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
      return refusal(folder.path() / "ledger");
    });
    CHECK(child.answer() == "ledger " + (folder.path() / "ledger").string() +
                                " is no folder to write to: Permission denied");
    fs::permissions(folder.path(), fs::perms::owner_all);
  }

  TEST_CASE("a full disk is thrown so that the attempt is repeated") {
    const TemporaryFolder folder;
    ChildProcess child([&]() -> std::string {
      const auto ledger = Ledger::open(folder.path());
      const ::rlimit few_bytes{10, 10};
      ::setrlimit(RLIMIT_FSIZE, &few_bytes);
      ::signal(SIGXFSZ, SIG_IGN);
      return ledger->charge(charge(5, 1)) ? "charged" : "refused";
    });
    const std::string answer = child.answer().value_or("killed");
    CAPTURE(answer);
    CHECK(answer.starts_with("threw: cannot write " + folder.path().string() +
                             "/.pending/order-5.json."));
    CHECK(answer.ends_with(": File too large"));
    CHECK(files(folder.path()).empty());
  }

  TEST_CASE("a relative path and a trailing slash name the same ledger") {
    const TemporaryFolder folder;
    const fs::path relative = fs::relative(folder.path());
    CHECK(Ledger::open(relative / "")->folder() == folder.path());
    CHECK(Ledger::open(folder.path() / "a" / "..")->folder() == folder.path());
  }

  TEST_CASE("workers killed at random and started again charge each order exactly once") {
    constexpr int orders = 40;
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const TemporaryFolder folder;
    const auto work = [&]() -> std::string {
      const auto ledger = Ledger::open(folder.path());
      for (int id = 1; id <= orders; ++id) {
        const auto charged = ledger->charge(charge(id, id + 0.5));
        if (charged != charge(id, id + 0.5)) return "order " + std::to_string(id) + " differs";
        ledger->confirm(*charged);
      }
      return "done";
    };
    for (int round = 0; round < 40; ++round) {
      ChildProcess one(work);
      ChildProcess other(work);
      for (auto turns = random() % 2'000; turns > 0; --turns) ::sched_yield();
      one.kill();
      for (auto turns = random() % 500; turns > 0; --turns) ::sched_yield();
      other.kill();
    }
    CHECK(work() == "done");
    Files expected;
    for (int id = 1; id <= orders; ++id) {
      const std::string order = "order-" + std::to_string(id);
      const std::string number = std::to_string(id);
      expected[order + ".json"] = "{\"order_id\": " + number + ", \"amount\": " + number + ".50}\n";
      expected["outbox/" + order + ".txt"] =
          "Thank you for your order " + number + ".\nWe have charged " + number + ".50.\n";
    }
    CHECK(files(folder.path()) == expected);  // and nothing is left in .pending
  }
}
