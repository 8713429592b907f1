#include "bench/floor/database.hpp"

#include <cstdio>
#include <cstdlib>

#include <poll.h>

namespace weir::bench {
namespace {

const char* connection_string() {
  const char* const given = std::getenv("FLOOR_CONNINFO");
  return given == nullptr ? "" : given;
}

}  // namespace

Database::Database() : connection_(PQconnectdb(connection_string()), &PQfinish) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) checked(nullptr, "connect");
  run("set client_min_messages = error");
  run("set search_path = floor");
}

Row Database::checked(PGresult* result, const std::string& what) {
  const auto status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    std::fprintf(stderr, "floor: %s: %s", what.c_str(), PQerrorMessage(connection_.get()));
    std::exit(1);
  }
  return {result, &PQclear};
}

Row Database::run(const std::string& statements) {
  return checked(PQexec(connection_.get(), statements.c_str()), statements);
}

void Database::prepare(const char* name, const char* statement) {
  checked(PQprepare(connection_.get(), name, statement, 0, nullptr), statement);
}

Row Database::execute(const char* name, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  return checked(PQexecPrepared(connection_.get(), name, static_cast<int>(values.size()),
                                values.data(), nullptr, nullptr, 0),
                 name);
}

void Database::keep_plans() {
  run("set jit = off; set plan_cache_mode = force_generic_plan; set enable_seqscan = off;"
      "set enable_hashjoin = off; set enable_mergejoin = off");
}

bool Database::wait_for_notification(int milliseconds) {
  if (take_notifications()) return true;  // it came with an answer
  pollfd readable{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  ::poll(&readable, 1, milliseconds);
  PQconsumeInput(connection_.get());
  return take_notifications();
}

bool Database::take_notifications() {
  bool any = false;
  while (PGnotify* const notified = PQnotifies(connection_.get())) {
    PQfreemem(notified);
    any = true;
  }
  return any;
}

std::vector<std::string> first_column(const Row& rows) {
  std::vector<std::string> values;
  for (int i = 0; i < PQntuples(rows.get()); ++i) values.emplace_back(PQgetvalue(rows.get(), i, 0));
  return values;
}

std::string array_of(const std::vector<std::string>& values) {
  std::string text = "{";
  for (const std::string& value : values) {
    if (text.size() > 1) text += ',';
    text += value;
  }
  return text + '}';
}

const char* const floor_tables = R"sql(
drop schema if exists floor cascade;
create schema floor;
-- latency: a queue of jobs
create table job (
  id bigint generated always as identity primary key,
  status smallint not null default 0, attempts smallint not null default 0,
  worker integer, lease_until timestamptz,
  created_at timestamptz not null default now(), done_at timestamptz,
  payload jsonb not null default '{}', output jsonb
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index job_ready on job (id) where status = 0;
-- owned1, owned3, map1000: every run, for as long as it is kept
create table run (
  run_id bigint generated always as identity primary key,
  flow_id integer not null, sinks smallint not null default 1,
  input jsonb not null default '{}', output jsonb,
  created_at timestamptz not null default now(), done_at timestamptz,
  status smallint not null default 0
) with (fillfactor = 85);
create table result (
  run_id bigint not null, step smallint not null, index integer not null default 0,
  output jsonb, done_at timestamptz not null default now(),
  primary key (run_id, step, index)
);
-- owned1, owned3: runs that are not over
create table open_run (
  run_id bigint primary key, flow_id integer not null,
  worker integer, lease_until timestamptz
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
-- map1000: a graph in tables
create table flow_step (
  flow_id integer, step smallint, dependencies smallint, is_sink boolean, tasks integer,
  primary key (flow_id, step)
);
create table flow_edge (
  flow_id integer, dependency smallint, step smallint, primary key (flow_id, dependency, step)
);
create table step (
  run_id bigint not null, step smallint not null, flow_id integer not null,
  remaining_dependencies smallint not null, remaining_tasks integer not null,
  done_at timestamptz, output jsonb,
  primary key (run_id, step)
) with (fillfactor = 70);
create table ready (
  id bigint generated always as identity primary key,
  run_id bigint not null, step smallint not null, flow_id integer not null,
  index integer not null default 0,
  worker integer, lease_until timestamptz
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
)sql";

}  // namespace weir::bench
