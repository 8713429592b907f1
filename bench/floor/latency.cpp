// latency: a job is committed with a notification, and a connection that listens claims it.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "bench/floor/floor.hpp"
#include "bench/measure/samples.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* add = R"sql(
with added as (insert into job (payload) values ('{}') returning id)
select id, pg_notify('job', '') from added
)sql";

constexpr const char* claim_jobs = R"sql(
update job
set status = 1, worker = 1, lease_until = now() + '30 s'
where id in (
  select id from job where status = 0 order by id limit 100 for update skip locked)
returning id
)sql";

constexpr const char* complete =
    "update job set status = 2, done_at = now() where id = any ($1::bigint[])";

// What the claiming connection tells the other one. `claimed` is stored last, with release, and
// loaded with acquire: then `claimed_at` is of that claim.
struct Claims {
  std::atomic<std::size_t> claimed = 0;
  std::atomic<Clock::rep> claimed_at = 0;
  std::atomic<bool> over = false;
};

void claim_as_notified(Database& connection, Claims& claims) {
  while (!claims.over.load()) {
    if (!connection.wait_for_notification(200)) continue;
    const auto ids = first_column(connection.execute("claim", {}));
    if (ids.empty()) continue;
    claims.claimed_at = Clock::now().time_since_epoch().count();
    claims.claimed.fetch_add(ids.size(), std::memory_order_release);
    connection.execute("complete", {array_of(ids)});
  }
}

}  // namespace

void measure_latency(Database& database, std::size_t count) {
  database.prepare("add", add);
  Database connection;
  connection.run("listen job");
  connection.prepare("claim", claim_jobs);
  connection.prepare("complete", complete);
  Claims claims;
  std::thread claiming([&] { claim_as_notified(connection, claims); });
  std::vector<double> milliseconds;
  for (std::size_t i = 0; i < count; ++i) {
    const auto began = Clock::now().time_since_epoch().count();
    database.execute("add", {});
    while (claims.claimed.load(std::memory_order_acquire) <= i)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    milliseconds.push_back(static_cast<double>(claims.claimed_at.load() - began) / 1e6);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  claims.over = true;
  claiming.join();
  fmt::print(
      R"({{"peer":"floor","work":"latency","p50_ms":{:.3f},"p99_ms":{:.3f},"p999_ms":{:.3f},"n":{}}})"
      "\n",
      median(milliseconds), quantile(milliseconds, 0.99), quantile(milliseconds, 0.999), count);
}

}  // namespace weir::bench
