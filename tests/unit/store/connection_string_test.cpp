#include "store/postgres/connection_string.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "support/temporary_folder.hpp"

using namespace weir;
using namespace weir::postgres;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

std::string text(const std::string& url, NetworkLimits limits = {}) {
  const auto connection_string = with_limits(url, limits);
  REQUIRE_MESSAGE(connection_string, to_string(connection_string.error()));
  return *connection_string;
}

}  // namespace

TEST_SUITE_BEGIN("store: connection strings");

TEST_CASE("a connection has limits") {
  CHECK(text("postgresql://anna@db.example/orders") ==
        "user='anna' dbname='orders' host='db.example' connect_timeout=10 keepalives_idle=3 "
        "keepalives_interval=3 keepalives_count=2 tcp_user_timeout=10000 ");
  CHECK(text("").contains("connect_timeout=10 "));
}

TEST_CASE("what the URL says stays") {
  const std::string given =
      text("postgresql://db/orders?connect_timeout=60&tcp_user_timeout=0&keepalives_idle=100");
  CHECK(given.contains("connect_timeout='60' "));
  CHECK(given.contains("tcp_user_timeout='0'"));
  CHECK(given.contains("keepalives_idle='100'"));
  CHECK_FALSE(given.contains("connect_timeout=10"));
  CHECK(given.contains("keepalives_count=2"));
}

TEST_CASE("what the environment says stays") {
  ::setenv("PGCONNECT_TIMEOUT", "3", 1);
  CHECK_FALSE(text("host=db").contains("connect_timeout"));
  CHECK(text("host=db").contains("tcp_user_timeout=10000"));
  ::unsetenv("PGCONNECT_TIMEOUT");
}

TEST_CASE("what a service says stays, and what it does not say is set") {
  const TemporaryFolder folder;
  folder.write("services",
               "[orders]\nhost=db.example\nconnect_timeout=60\nkeepalives_idle=100\n"
               "[plain]\nhost=db.example\n");
  ::setenv("PGSERVICEFILE", (folder.path() / "services").c_str(), 1);
  const auto is_limited = [](const std::string& given) {
    CHECK_FALSE(given.contains("connect_timeout"));
    CHECK_FALSE(given.contains("keepalives_idle"));
    CHECK(given.contains("keepalives_interval=3 keepalives_count=2 tcp_user_timeout=10000 "));
    CHECK_FALSE(given.contains("sslmode"));
  };
  is_limited(text("service=orders"));
  CHECK(text("postgresql:///?service=plain").contains("connect_timeout=10 "));
  CHECK(text("service=orders connect_timeout=7").contains("connect_timeout='7' "));
  ::setenv("PGSERVICE", "orders", 1);
  is_limited(text(""));
  is_limited(text("dbname=orders"));
  ::unsetenv("PGSERVICE");
  CHECK(text("service=absent").starts_with("service='absent' "));
  ::unsetenv("PGSERVICEFILE");
}

TEST_CASE("several hosts and odd characters keep their places") {
  const std::string given = text("postgresql://a:5433,b:5434/x?target_session_attrs=read-write");
  CHECK(given.contains("host='a,b' port='5433,5434'"));
  CHECK(text(R"(password='it\'s \\ so' host=db)").contains(R"(password='it\'s \\ so')"));
}

TEST_CASE("L1: the limits of a worker leave it time in its lease") {
  const NetworkLimits limits = NetworkLimits::of_lease(15s);
  CHECK(limits.connect == 5s);
  CHECK(limits.silence == 5s);
  CHECK(NetworkLimits::of_lease(1s).silence == 2s);
  CHECK(NetworkLimits::of_lease(10min).silence == 10s);
}

TEST_CASE("a URL that is none is refused without its password") {
  const auto refused = with_limits("postgresql//anna:geheim@host/orders", {});
  REQUIRE_FALSE(refused);
  CHECK_FALSE(to_string(refused.error()).contains("geheim"));
}

TEST_SUITE_END();
