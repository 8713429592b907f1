#include "bench/engine/meter.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "bench/required.hpp"

namespace weir::bench {

Meter::Meter(postgres::Session& admin)
    : admin_(admin),
      server_(server_of_backend(admin.connection().backendpid())),
      counts_(counts()),
      touched_(touched()),
      processors_(processor_time(server_)),
      began_(Clock::now()) {
  if (server_ == 0) fail("the server is not on this machine");
}

Figures Meter::figures(double tasks) const {
  const double seconds = seconds_since(began_);
  const ProcessorTime now = processor_time(server_);
  const Counts counted = counts();
  const double server = now.server - processors_.server, own = now.own - processors_.own;
  return {
      {"per_s", tasks / seconds},
      {"server_us", server / tasks * 1e6},
      {"client_us", own / tasks * 1e6},
      {"wal_bytes", (counted.log_bytes - counts_.log_bytes) / tasks},
      {"commits", (counted.transactions - counts_.transactions) / tasks},
      {"noise_cores", std::max(0.0, now.machine - processors_.machine - server - own) / seconds}};
}

Figures Meter::touched(double tasks) const {
  const Touched now = touched();
  return {{"buffers", (now.buffers - touched_.buffers) / tasks},
          {"rows_read", (now.rows_read - touched_.rows_read) / tasks},
          {"rows_written", (now.rows_written - touched_.rows_written) / tasks}};
}

Meter::Counts Meter::counts() const {
  // Transactions that only read have no number.
  const auto row =
      required(admin_.query("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn, "
                            "pg_snapshot_xmax(pg_current_snapshot())::text"))[0];
  return {.log_bytes = row[0].as<double>(), .transactions = row[1].as<double>()};
}

Meter::Touched Meter::touched() const {
  const auto row = required(admin_.query(
      "select (select blks_hit + blks_read from pg_stat_database "
      "        where datname = current_database()), "
      "       sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), "
      "       sum(coalesce(n_tup_ins, 0) + coalesce(n_tup_upd, 0) + coalesce(n_tup_del, 0)) "
      "from pg_stat_user_tables where schemaname = 'weir'"))[0];
  return {.buffers = row[0].as<double>(),
          .rows_read = row[1].as<double>(0),
          .rows_written = row[2].as<double>(0)};
}

void settle(postgres::Session& admin) {
  required(admin.use([](pqxx::connection& connection) {
    pqxx::nontransaction database(connection);
    database.exec("vacuum analyze");
    database.exec("checkpoint");
    if (connection.server_version() >= 150'000) database.exec("select pg_stat_force_next_flush()");
  }));
}

std::string server_version(postgres::Session& session) {
  return "PostgreSQL " + required(session.query(
                             "select split_part(current_setting('server_version'), ' ', 1)"))[0][0]
                             .as<std::string>();
}

void wait_until_alone(postgres::Session& admin) {
  constexpr const char* others =
      "select count(*) from pg_stat_activity "
      "where datname = current_database() and backend_type = 'client backend' "
      "and pid <> pg_backend_pid()";
  while (required(admin.query(others))[0][0].as<int>() > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

}  // namespace weir::bench
