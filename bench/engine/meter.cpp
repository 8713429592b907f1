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
      buffers_(buffers_read()),
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

double Meter::buffers() const { return buffers_read() - buffers_; }

Meter::Counts Meter::counts() const {
  // Transactions that only read have no number.
  const auto row =
      required(admin_.query("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn, "
                            "pg_snapshot_xmax(pg_current_snapshot())::text"))[0];
  return {.log_bytes = row[0].as<double>(), .transactions = row[1].as<double>()};
}

double Meter::buffers_read() const {
  return required(
             admin_.query("select blks_hit + blks_read from pg_stat_database "
                          "where datname = current_database()"))[0][0]
      .as<double>();
}

void settle(postgres::Session& admin) {
  required(admin.use([](pqxx::connection& connection) {
    pqxx::nontransaction database(connection);
    database.exec("vacuum analyze");
    database.exec("checkpoint");
  }));
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
