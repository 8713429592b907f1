#include <array>
#include <limits>

#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Journal {
  Journal() {
    worker.loads(flow({step("a"), of_kind("map", "b", {"a"}), step("c", {"b"})}));
    start_one(*client);
    run = worker.claim_one().run;
  }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  RunKey run = 0;
};

void check_same(const JournalRow& read, const JournalRow& written) {
  CHECK(read.task == written.task);
  CHECK(read.attempt == written.attempt);
  CHECK(read.outcome == written.outcome);
  CHECK(read.output.has_value() == written.output.has_value());
  if (read.output && written.output) CHECK(read.output->text() == written.output->text());
  CHECK(read.error_code == written.error_code);
  CHECK(read.error == written.error);
  CHECK(read.retry_after == written.retry_after);
  CHECK(read.started_at == written.started_at);
  CHECK(read.ended_at == written.ended_at);
}

}  // namespace

TEST_SUITE("store: journal") {
  TEST_CASE("P8: outputs are read back as they were written") {
    Journal a;
    std::vector<JournalRow> written;
    for (const char* output :
         {"null", "false", "0", R"("")", "9223372036854775807", "-9223372036854775808",
          "18446744073709551615", "0.30000000000000004", "1.2345678901234567",
          "-2.2250738585072014", R"("ü 漢 🌊 \"quoted\" \\ {a,b} NULL \n\t")", R"("NULL")", "[]",
          "{}", R"([null, [], {"a": {"b": [1]}}])"})
      written.push_back(completed(1, written.size(), 1, output));
    ExchangeRequest request = a.worker.next();
    for (const JournalRow& row : written) request.settled.push_back({a.run, row, {}});
    a.worker.exchange(request);
    const auto read = journal_of(*a.worker.session, a.run);
    REQUIRE(read.size() == written.size());
    for (std::size_t i = 0; i < read.size(); ++i) check_same(read[i], written[i]);
  }

  TEST_CASE("P8: the key order of objects may change and nothing else") {
    Journal a;
    a.worker.journals(a.run, completed(0, 0, 1, R"({"zz":1,"a":[{"y":"","b":null}]})"));
    CHECK(journal_of(*a.worker.session, a.run)[0].output->text() ==
          R"({"a": [{"b": null, "y": ""}], "zz": 1})");
  }

  TEST_CASE("every outcome is read back with all that was said of it") {
    Journal a;
    std::vector<JournalRow> written;
    for (const Outcome outcome : {Outcome::failed, Outcome::timed_out, Outcome::lost,
                                  Outcome::cancelled, Outcome::failed_for_good}) {
      JournalRow row = failed(0, 0, static_cast<int>(written.size()) + 1,
                              R"(it said "no", {braces}, back\slash, NULL, 漢)");
      row.outcome = outcome;
      row.error += "\nand a second line";
      written.push_back(row);
    }
    written[0].retry_after = 1'234ms;
    written[1].retry_after = 0ms;
    written[2].error_code.clear();
    written[2].error.clear();
    written[4].output = json(R"({"bad": "output"})");
    for (const JournalRow& row : written) a.worker.journals(a.run, row);
    const auto read = journal_of(*a.worker.session, a.run);
    REQUIRE(read.size() == written.size());
    for (std::size_t i = 0; i < read.size(); ++i) check_same(read[i], written[i]);
  }

  TEST_CASE("times are kept to the microsecond") {
    Journal a;
    JournalRow row = completed(0, 0, 1, "[]");
    row.started_at = Time{1'795'225'442'123'456us};
    row.ended_at = Time{1'795'225'442'999'999us};
    a.worker.journals(a.run, row);
    check_same(journal_of(*a.worker.session, a.run)[0], row);
  }

  TEST_CASE("rows come by step and index and attempt whatever the order of writing") {
    Journal a;
    a.worker.journals(a.run, completed(0, 0, 1, "[1,2,3]"));
    a.worker.journals(a.run, failed(1, 10, 1, "x"));
    a.worker.journals(a.run, completed(1, 2, 1, "1"));
    a.worker.journals(a.run, completed(1, 10, 2, "1"));
    a.worker.journals(a.run, completed(1, 0, 1, "1"));
    std::vector<std::pair<TaskId, int>> order;
    for (const JournalRow& row : journal_of(*a.worker.session, a.run))
      order.emplace_back(row.task, row.attempt);
    const std::vector<std::pair<TaskId, int>> expected = {
        {{0, 0}, 1}, {{1, 0}, 1}, {{1, 2}, 1}, {{1, 10}, 1}, {{1, 10}, 2}};
    CHECK((order == expected));
  }

  TEST_CASE("the runs that are asked for are read and those without rows are absent") {
    Journal a;
    start_one(*a.client);
    start_one(*a.client);
    const RunKey second = a.worker.claim_one().run;
    const RunKey third = a.worker.claim_one().run;
    a.worker.journals(a.run, completed(0, 0, 1, "[1]"));
    a.worker.journals(second, completed(0, 0, 1, "[2]"));
    const std::array<RunKey, 2> wanted = {second, third};
    const auto read = must(a.worker.session->journal(wanted));
    REQUIRE(read.size() == 1);
    CHECK(read.at(second)[0].output->text() == "[2]");
    CHECK(must(a.worker.session->journal({})).empty());
  }

  TEST_CASE("the largest numbers of the rules fit") {
    Journal a;
    JournalRow row = failed(1'023, std::numeric_limits<std::int32_t>::max(), 1'000 + 4, "last");
    row.retry_after = std::chrono::days(365);
    a.worker.journals(a.run, row);
    check_same(journal_of(*a.worker.session, a.run)[0], row);
  }

  TEST_CASE("a thousand rows go in one exchange") {
    Journal a;
    ExchangeRequest request = a.worker.next();
    for (std::size_t i = 0; i < 1'000; ++i)
      request.settled.push_back({a.run, completed(1, i, 1, std::to_string(i)), {}});
    a.worker.exchange(request);
    const auto read = journal_of(*a.worker.session, a.run);
    REQUIRE(read.size() == 1'000);
    for (std::size_t i = 0; i < 1'000; ++i)
      REQUIRE(read[i].output == Json::number(static_cast<int>(i)));
  }
}
