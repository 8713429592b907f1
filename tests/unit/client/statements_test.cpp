#include <string>

#include <doctest/doctest.h>

#include <weir/client/statements.hpp>

using namespace weir;
using namespace std::chrono_literals;

namespace {

Json json(std::string text) { return *Json::parse(std::move(text)); }

}  // namespace

TEST_SUITE_BEGIN("client: statements");

TEST_CASE("S5: a statement starts a run with all its options as literals") {
  CHECK(*start_statement("order", json(R"({"id": 7})")) ==
        R"(select run_id, created from weir.start('order', '{"id": 7}'::jsonb))");
  CHECK(*start_statement("order", Json(),
                         {.idempotency_key = "k",
                          .run_id = "0198c0de-0000-7000-8000-00000000000a",
                          .delay = 1500ms,
                          .priority = -5,
                          .version = 2,
                          .tags = {"a", "b c"}}) ==
        "select run_id, created from weir.start('order', 'null'::jsonb, idempotency_key => 'k', "
        "run_id => '0198c0de-0000-7000-8000-00000000000a'::uuid, delay => 1500 * interval '1 ms', "
        "priority => -5, version => 2, tags => array['a', 'b c']::text[])");
  CHECK(*start_statement("order", Json(), {.at = Time(1'000'000us)}) ==
        "select run_id, created from weir.start('order', 'null'::jsonb, at => "
        "'1970-01-01T00:00:01.000000Z'::timestamptz)");
  CHECK(*start_many_statement("order", {json("1"), json("2")}, {.idempotency_keys = {"a", "b"}}) ==
        "select run_id, created from weir.start_many('order', array['1'::jsonb, "
        "'2'::jsonb]::jsonb[], keys => array['a', 'b']::text[])");
  CHECK(*signal_statement("0198c0de-0000-7000-8000-00000000000a", "go", json("1")) ==
        "select weir.signal('0198c0de-0000-7000-8000-00000000000a'::uuid, 'go', '1'::jsonb)");
  CHECK(*cancel_statement("0198c0de-0000-7000-8000-00000000000a", "why not") ==
        "select weir.cancel('0198c0de-0000-7000-8000-00000000000a'::uuid, 'why not')");
}

TEST_CASE("S5: no input can end a literal") {
  CHECK(*start_statement("o'r", json(R"("it's \\ \"so\"")")) ==
        R"(select run_id, created from weir.start(E'o''r', E'"it''s \\\\ \\"so\\""'::jsonb))");
  // A byte that some client_encoding reads as the first half of a character would take the next
  // one with it: so there are none.
  CHECK(*start_statement("f\u00e9'", json("\"\u00e9\\\\\U0001F600\""), {.tags = {"\u65e5\\"}}) ==
        R"(select run_id, created from weir.start(E'f\U000000E9''', )"
        R"(E'"\\u00e9\\\\\\ud83d\\ude00"'::jsonb, tags => array[E'\U000065E5\\']::text[]))");
}

TEST_CASE("S1: what the database would refuse is refused before it breaks a transaction") {
  const auto refused = [](const RunOptions& options) {
    return start_statement("f", Json(), options).error().message;
  };
  CHECK(refused({.run_id = "7"}) == "\"7\" is not a run id");
  CHECK(refused({.priority = 101}) == "priority 101 is out of range");
  CHECK(refused({.delay = 1ms, .at = Time()}) == "both a delay and a time to start at");
  CHECK(refused({.idempotency_key = ""}) == "an idempotency key of 0 bytes");
  CHECK(refused({.tags = {"\xFF"}}) == "a tag is not UTF-8 text");
  CHECK(refused({.tags = {std::string("a\0b", 3)}}) == "a tag is not UTF-8 text");
  CHECK(start_many_statement("f", {Json()}, {.idempotency_keys = {"a", "b"}}).error().message ==
        "keys: 2 for 1 inputs");
}

TEST_CASE("S1: new run ids are UUIDs of version 7 and sort as they were made") {
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = new_run_id();
    REQUIRE(id.size() == 36);
    REQUIRE(id[14] == '7');
    REQUIRE(std::string("89ab").contains(id[19]));
    REQUIRE(last < id);
    last = id;
  }
}

TEST_SUITE_END();
