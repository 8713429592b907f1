// What the death of the private PostgreSQL may not cost: `weir serve` starts it again, and every
// run that was started is completed, each attempt once, and none charged.
#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include "base/process_handle.hpp"
#include "chaos/load.hpp"
#include "chaos/serve_process.hpp"
#include "client/client.hpp"
#include "store/local/local_postgres.hpp"
#include "store/local/postmaster.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"
#include "unit/store_local/project_folder.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

/// `weir serve` on a private PostgreSQL, with the flow `paced`.
class PrivateServe {
 public:
  PrivateServe() {
    std::ofstream(project_.path() / "flows.yaml")
        << "plugins: {folders: [\"" << std::filesystem::path(PACED_1).parent_path().string()
        << "\"]}\nworker: {slots: 8, lease: 15s, drain_timeout: 2s}\n";
    serve_.emplace(project_.path());
    REQUIRE(logs("worker 1 serves 1 flow"));
    url_ = LocalPostgres::open(project_.weir())->url();
  }

  const std::string& url() const { return url_; }
  std::filesystem::path data() const { return project_.data(); }
  std::string value(const std::string& query) const { return AdminSession(url_).run(query).at(0); }

  std::string log() const {
    std::ifstream in(project_.path() / "serve.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// Whether the log has these words, or has them soon, `times` times.
  bool logs(std::string_view words, std::size_t times = 1) const {
    return eventually([&] {
      const std::string text = log();
      std::size_t found = 0;
      for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++found;
      return found >= times;
    });
  }

  void signal_postmaster(int number) const {
    const auto found = local::read_pid_file(data());
    REQUIRE(found);
    const auto server = ProcessHandle::open(found->pid);
    REQUIRE(server);
    server->signal(number);
  }

  int terminate() { return serve_->terminate(); }

 private:
  ProjectFolder project_;
  std::optional<ServeProcess> serve_;
  std::string url_;
};

/// Starts runs all the time, each with a key and again until its start is acknowledged.
class KeyedLoad {
 public:
  explicit KeyedLoad(const std::string& url)
      : thread_([this, url] {
          auto client = Client::connect(url);
          const Json input = Json::trusted(R"({"milliseconds": 20})");
          while (!stopping_.load(std::memory_order_relaxed)) {
            const RunOptions options{.idempotency_key = fmt::format("run-{}", started_ + 1)};
            if (client && client->start("paced", input, options))
              ++started_;
            else if (!client)
              client = Client::connect(url);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
        }) {}
  KeyedLoad(const KeyedLoad&) = delete;
  KeyedLoad& operator=(const KeyedLoad&) = delete;
  ~KeyedLoad() { stop(); }

  std::uint64_t stop() {
    stopping_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
    return started_;
  }
  bool goes_on() const {
    const std::uint64_t before = started_;
    return eventually([&] { return started_ > before + 5; });
  }

 private:
  std::atomic<bool> stopping_ = false;  // relaxed: no data is passed with it
  std::atomic<std::uint64_t> started_ = 0;
  std::thread thread_;
};

/// A session whose process is stopped: it outlives its server until the object goes.
struct StoppedSession {
  explicit StoppedSession(const std::string& url)
      : session(url), pid(std::stoi(session.run("select pg_backend_pid()").at(0))) {
    ::kill(pid, SIGSTOP);
  }
  ~StoppedSession() { ::kill(pid, SIGKILL); }

  AdminSession session;
  pid_t pid;
};

}  // namespace

TEST_SUITE_BEGIN("chaos: the private PostgreSQL");

TEST_CASE(
    "L6: however the private PostgreSQL ends it is started again and no run is lost or charged") {
  PrivateServe serve;
  KeyedLoad load(serve.url());
  REQUIRE(load.goes_on());

  serve.signal_postmaster(SIGKILL);
  CHECK(
      serve.logs("error the private PostgreSQL has ended (signal 9 (SIGKILL)): it is started "
                 "again\n"));
  REQUIRE(serve.logs("info the private PostgreSQL runs again, after ", 1));
  CHECK(load.goes_on());

  serve.signal_postmaster(SIGINT);  // as pg_ctl stop -m fast
  CHECK(
      serve.logs("the private PostgreSQL has ended (somebody shut it down): it is started "
                 "again\n"));
  REQUIRE(serve.logs("the private PostgreSQL runs again, after ", 2));
  CHECK(load.goes_on());

  serve.signal_postmaster(SIGTERM);  // as pg_ctl stop -m smart, which waits for all sessions
  REQUIRE(serve.logs("the private PostgreSQL runs again, after ", 3));
  CHECK(load.goes_on());

  {
    const StoppedSession remains(serve.url());
    serve.signal_postmaster(SIGKILL);
    CHECK(serve.logs("the private PostgreSQL cannot be started yet, retrying: "));
    CHECK(serve.log().contains(fmt::format("{}", remains.pid)));
  }
  REQUIRE(serve.logs("the private PostgreSQL runs again, after ", 4));
  CHECK(load.goes_on());

  const std::string runs = std::to_string(load.stop());
  // A server that is killed may lose the last claims, which wait for no disk: then the worker joins
  // again, and its runs are free when its lease is over.
  REQUIRE(eventually([&] { return serve.value("select count(*) from weir.open_run") == "0"; },
                     3 * patience));
  CHECK(serve.value("select count(*) from weir.runs where status = 'completed'") == runs);
  CHECK(serve.value("select count(*) from weir.runs") == runs);
  CHECK(serve.value("select count(*) from weir.attempts where outcome not in ('completed', "
                    "'lost')") == "0");
  CHECK(serve.value("select count(*) from weir.attempts where outcome = 'completed'") ==
        std::to_string(3 * std::stoull(runs)));
  CHECK(serve.terminate() == 0);
  CHECK_FALSE(local::any_process_in(serve.data()));
  const std::string log = serve.log();
  INFO(log);
  for (auto at = log.find("runs again"); at != std::string::npos;
       at = log.find("runs again", at + 1))
    MESSAGE(log.substr(at, log.find('\n', at) - at));
}

TEST_CASE(
    "L5: weir serve that ends while its PostgreSQL cannot be started leaves no start behind") {
  PrivateServe serve;
  {
    const StoppedSession remains(serve.url());
    serve.signal_postmaster(SIGKILL);
    REQUIRE(serve.logs("the private PostgreSQL has ended"));
    const int status = serve.terminate();
    CHECK(WIFEXITED(status));
  }
  REQUIRE(eventually([&] { return !local::any_process_in(serve.data()); }));
  CHECK_FALSE(serve.log().contains("runs again"));
}

TEST_CASE("L5: a PostgreSQL that somebody shuts down while weir serve ends stays so") {
  PrivateServe serve;
  auto client = Client::connect(serve.url());
  REQUIRE(client);
  REQUIRE(client->start("paced", Json::trusted(R"({"milliseconds": 1000})")));
  REQUIRE(eventually([&] {
    return serve.value("select count(*) from weir.attempts where outcome = 'running'") == "1";
  }));
  int status = -1;
  std::thread ending([&] { status = serve.terminate(); });
  const bool drains = serve.logs("draining: running steps may finish");
  serve.signal_postmaster(SIGTERM);
  ending.join();
  CHECK(drains);
  CHECK(status == 0);
  CHECK_FALSE(local::any_process_in(serve.data()));
  CHECK_FALSE(serve.log().contains("is started again"));
}

TEST_SUITE_END();
