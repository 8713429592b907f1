#include "store/postgres/second_client.hpp"

#include <chrono>
#include <cstdlib>

#include <poll.h>

namespace weir::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds patience{1'000};

void discard(void*, const PGresult*) {}

}  // namespace

// The last connect_timeout of a connection string counts; 2 s is the shortest that libpq has.
SecondClient::SecondClient(const std::string& connection_string)
    : connection_(PQconnectdb((connection_string + " connect_timeout=2").c_str()), PQfinish) {
  PQsetNoticeReceiver(connection_.get(), discard, nullptr);
}

std::optional<int> SecondClient::server_process() {
  if (PQsendQuery(connection_.get(), "select pg_backend_pid()") != 1 || !is_answered())
    return std::nullopt;
  std::optional<int> process;
  while (PGresult* const result = PQgetResult(connection_.get())) {
    if (PQresultStatus(result) == PGRES_TUPLES_OK) process = std::atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
  }
  return process;
}

bool SecondClient::is_answered() {
  const auto until = steady_clock::now() + patience;
  while (PQconsumeInput(connection_.get()) == 1) {
    if (PQisBusy(connection_.get()) == 0) return true;
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    pollfd socket{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
    if (left <= left.zero() || ::poll(&socket, 1, static_cast<int>(left.count())) == 0)
      return false;
  }
  return false;
}

}  // namespace weir::postgres
