// What an administrator sets for a database or a role, and this program does not rely on.
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "integration/worker/worker_rig.hpp"
#include "support/admin_session.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

struct Setting {
  const char* name;
  const char* value;
  bool in_sql = true;  // plain SQL can start runs under it, too
};

constexpr Setting settings[] = {
    {"client_encoding", "LATIN1"},
    {"client_encoding", "SQL_ASCII"},
    {"array_nulls", "off"},
    {"statement_timeout", "50ms", false},
    {"lock_timeout", "1ms"},
    {"idle_session_timeout", "200ms"},
    {"idle_in_transaction_session_timeout", "200ms"},
    {"transaction_timeout", "50ms", false},
    {"default_transaction_isolation", "serializable"},
    {"default_transaction_isolation", "repeatable read"},
    {"default_transaction_read_only", "on", false},
    {"default_transaction_deferrable", "on"},
    {"timezone", "Pacific/Chatham"},
    {"timezone", "-13:45"},
    {"datestyle", "German, DMY"},
    {"datestyle", "SQL, MDY"},
    {"intervalstyle", "sql_standard"},
    {"intervalstyle", "iso_8601"},
    {"extra_float_digits", "-15"},
    {"bytea_output", "escape"},
    {"standard_conforming_strings", "off"},
    {"backslash_quote", "off"},
    {"search_path", "nowhere"},
    {"search_path", "odd, pg_catalog"},
    {"jit", "on"},
    {"jit_above_cost", "0"},
    {"plan_cache_mode", "force_custom_plan"},
    {"enable_seqscan", "off"},
    {"enable_indexscan", "off"},
    {"enable_indexonlyscan", "off"},
    {"enable_bitmapscan", "off"},
    {"enable_nestloop", "off"},
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
    {"enable_sort", "off"},
    {"enable_hashagg", "off"},
    {"enable_material", "off"},
    {"enable_memoize", "off"},
    {"join_collapse_limit", "1"},
    {"from_collapse_limit", "1"},
    {"geqo_threshold", "2"},
    {"force_parallel_mode", "on"},
    {"debug_parallel_query", "on"},
    {"parallel_setup_cost", "0"},
    {"min_parallel_table_scan_size", "0"},
    {"max_parallel_workers_per_gather", "8"},
    {"work_mem", "64kB"},
    {"temp_buffers", "800kB"},
    {"hash_mem_multiplier", "1000"},
    {"synchronous_commit", "off"},
    {"synchronous_commit", "local"},
    {"commit_delay", "1000"},
    {"row_security", "off"},
    {"transform_null_equals", "on"},
    {"gin_fuzzy_search_limit", "1"},
    {"constraint_exclusion", "on"},
    {"cursor_tuple_fraction", "0"},
    {"default_statistics_target", "1"},
    {"random_page_cost", "1000"},
    {"seq_page_cost", "1000000"},
    {"cpu_tuple_cost", "1000"},
    {"effective_cache_size", "8kB"},
    {"recursive_worktable_factor", "0.001"},
    {"client_min_messages", "debug5"},
    {"client_min_messages", "error"},
    {"exit_on_error", "on"},
    {"plpgsql.extra_errors", "all"},
    {"plpgsql.extra_warnings", "all"},
    {"plpgsql.variable_conflict", "use_column"},
    {"plpgsql.variable_conflict", "use_variable"},
    {"plpgsql.check_asserts", "off"},
    {"check_function_bodies", "off"},
    {"default_toast_compression", "lz4"},
    {"quote_all_identifiers", "on"},
    {"track_activities", "off"},
    {"track_functions", "all"},
    {"xmlbinary", "hex"},
    {"session_replication_role", "replica"},
    {"restrict_nonsystem_relation_kind", "view"},
    {"stats_fetch_consistency", "snapshot"},
    {"log_statement", "all"},
};

constexpr int runs_each = 100;

// The setting holds for sessions of the database from now on; false when the server does not know it.
bool set(AdminSession& admin, const Setting& setting) {
  try {
    admin.run("select set_config('t.name', current_database(), false)");
    admin.run(fmt::format(
        "do $$ begin execute format('alter database %I set {} = {}', current_database()); end $$",
        setting.name,
        std::string_view(setting.name) == "search_path" ? setting.value
                                                        : fmt::format("''{}''", setting.value)));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void reset(AdminSession& admin) {
  admin.run(
      "do $$ begin execute format('alter database %I reset all', current_database()); end $$");
}

std::string count(AdminSession& admin, const std::string& condition) {
  return admin.run("select count(*)::text from weir.runs where " + condition).front();
}

}  // namespace

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L6: what is set for the database changes nothing for runs and their readers") {
  const TestFlow flow(
      "settings",
      {{"list", returns(R"([1.5, null, "Zoë €"])")},
       {"each", [](TestCall& call) { return call.output(call.input); }, {"list"}, "map"},
       {"end", [](TestCall& call) { return call.output(call.input); }, {"each"}}});
  AdminSession admin(database());
  // What stands in the way of who looks up names there first.
  admin.run("create schema if not exists odd");
  admin.run(
      "create or replace function odd.clock_timestamp() returns timestamptz language sql as "
      "'select null::timestamptz'");
  std::size_t tried = 0;
  for (const Setting& setting : settings) {
    CAPTURE(setting.name);
    CAPTURE(setting.value);
    if (!set(admin, setting)) continue;
    ++tried;
    {
      const RunningWorker worker({&flow});
      TestClient client;
      const auto started =
          client_on(client.store())
              .start_many("settings", std::vector(runs_each / 2, Json::string("Zoë €")));
      REQUIRE_MESSAGE(started.has_value(), to_string(started.error()));
      const std::string without = fmt::format("&options=-c{}%3D0", setting.name);
      AdminSession(database() + (setting.in_sql ? "" : without))
          .run(fmt::format("select count(*)::text from weir.start_many('settings', array_fill("
                           "jsonb_build_object('a', jsonb '\"Zo\\u00eb \\u20ac\"'), array[{}]))",
                           runs_each / 2));
      CHECK(eventually([&] { return count(admin, "ended_at is null") == "0"; }));
      const RunReport report = client.wait(started->back().id);
      CHECK(report.input.text() == "\"Zoë €\"");
      CHECK(report.output->text().contains(R"([1.5, null, "Zoë €"])"));
    }
    CHECK(count(admin, "status = 'completed'") == std::to_string(runs_each));
    CHECK(count(admin, R"(input in ('"Zoë €"', '{"a": "Zoë €"}'))") == std::to_string(runs_each));
    CHECK(admin.run("select count(*)::text from weir.journal where outcome <> 1") ==
          std::vector<std::string>{"0"});
    reset(admin);
    admin.run("truncate weir.journal, weir.run cascade");
  }
  MESSAGE(fmt::format("{} settings with {} runs each", tried, runs_each));
  CHECK(tried >= 60);
  admin.run("drop schema odd cascade");
}
