// Whether what a task costs grows with what is none of its business: finished runs, parked runs,
// versions, other workers. Rounds of the cases that are compared go between each other; the tables
// show medians. script/bench builds and runs it.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "bench/engine/empty_flow.hpp"
#include "bench/engine/meter.hpp"
#include "bench/growth/growth.hpp"
#include "bench/growth/worker_process.hpp"
#include "bench/measure/machine.hpp"
#include "bench/required.hpp"
#include "store/postgres/postgres_run_store.hpp"

namespace weir::bench {

std::string database_url(const LocalPostgres& server, const std::string& name) {
  const auto admin = required(postgres::Session::open(server.url()));
  required(admin->use([&](pqxx::connection& connection) {
    pqxx::nontransaction database(connection);
    if (database.exec("select from pg_database where datname = '" + name + "'").empty())
      database.exec("create database " + name);
  }));
  return server.url(name);
}

VersionId register_bench_flow(const std::string& url) {
  Serving(url, EmptyFlow(1).module(), 1).register_flow();
  const auto admin = required(postgres::Session::open(url));
  constexpr const char* version =
      "select v.id from weir.version v join weir.flow f on f.id = v.flow_id where f.slug = 'bench'";
  return required(admin->query(version))[0][0].as<VersionId>();
}

void start_runs(const std::string& url, const std::string& flow, std::size_t count) {
  constexpr std::size_t batch = 1'000;
  const auto store = required(postgres::open_run_store(url));
  const Json input = required(Json::parse(R"({"n": 1})"));
  for (std::size_t left = count; left > 0; left -= std::min(left, batch))
    required(store->start(flow, std::vector<Json>(std::min(left, batch), input), {}));
}

void wait_until(postgres::Session& admin, const char* query) {
  while (!required(admin.query(query))[0][0].as<bool>())
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace weir::bench

namespace {

using namespace weir;
using namespace weir::bench;

// Vacuums at a time of their own would come to what is measured beside many runs, or beside few.
class WithoutAutovacuum {
 public:
  explicit WithoutAutovacuum(const std::string& url)
      : admin_(required(postgres::Session::open(url))) {
    change("alter system set autovacuum = off");
  }
  WithoutAutovacuum(const WithoutAutovacuum&) = delete;
  WithoutAutovacuum& operator=(const WithoutAutovacuum&) = delete;
  ~WithoutAutovacuum() { change("alter system reset autovacuum"); }

 private:
  void change(const char* statement) {
    required(admin_->use([&](pqxx::connection& connection) {
      pqxx::nontransaction database(connection);
      database.exec(statement);
      database.exec("select pg_reload_conf()");
    }));
  }

  std::unique_ptr<postgres::Session> admin_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == worker_process_option)
    return worker_process_main(argc, argv);
  const GrowthOptions options = GrowthOptions::of(argc, argv);
  const LocalPostgres server = required(LocalPostgres::open(options.folder));
  using Tables = std::vector<Table>;
  const std::vector<std::pair<std::string, std::function<Tables()>>> parts{
      {"history", [&] { return measure_history(server, options); }},
      {"parked", [&] { return Tables{measure_parked(server, options)}; }},
      {"versions", [&] { return Tables{measure_versions(server, options)}; }},
      {"outputs", [&] { return Tables{measure_outputs(server, options)}; }},
      {"workers", [&] { return Tables{measure_workers(server, options)}; }},
      {"processors", [&] { return Tables{measure_processors(server, options)}; }}};
  Tables tables;
  {
    const WithoutAutovacuum steady(server.url());
    for (const auto& [name, measure] : parts)
      if (options.only.empty() || options.only == name)
        for (Table& table : measure()) tables.push_back(std::move(table));
  }
  if (tables.empty()) fail(fmt::format("there is no part \"{}\"", options.only));
  const auto where = machine(server_version(*required(postgres::Session::open(server.url()))));
  std::string lines = json_of_machine(where);
  for (const Table& table : tables) {
    table.print();
    for (const std::string& line : table.json()) lines += ",\n" + line;
  }
  fmt::print(
      "Of a task, or of a call that claims: processor time of server and client, us;\n"
      "WAL, bytes; buffers; rows read and written; calls; runs that others were\n"
      "claiming (missed). call: its time, us. MiB: the worker's memory, and at most.\n"
      "Outputs are not compressible.\n");
  for (const std::string& line : where) fmt::print("{}\n", line);
  if (options.json.empty()) return 0;
  std::ofstream out(options.json);
  out << "[\n" << lines << "\n]\n";
  if (!out.flush()) fail(options.json.string() + " cannot be written");
}
