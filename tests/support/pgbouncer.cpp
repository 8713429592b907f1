#include "support/pgbouncer.hpp"

#include <filesystem>
#include <stdexcept>

#include <fmt/core.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/eventually.hpp"
#include "support/relay.hpp"

namespace weir::testing {
namespace {

constexpr const char* program = "/usr/sbin/pgbouncer";

}  // namespace

bool Pgbouncer::is_installed() { return std::filesystem::exists(program); }

Pgbouncer::Pgbouncer(const std::string& url, const std::string& mode, int pool) {
  const std::filesystem::path folder = folder_.path();
  folder_.write("bouncer.ini",
                fmt::format("[databases]\n* = host={} port={} user={}\n"
                            "[pgbouncer]\nlisten_addr =\nunix_socket_dir = {}\nlisten_port = {}\n"
                            "auth_type = any\npool_mode = {}\ndefault_pool_size = {}\n"
                            "query_wait_timeout = 10\n"
                            "server_check_query = select 1\nignore_startup_parameters = "
                            "extra_float_digits\n",
                            connection_option(url, "host"), connection_option(url, "port"),
                            connection_option(url, "user"), folder.string(),
                            connection_option(url, "port"), mode, pool));
  std::vector<std::string> arguments = {(folder / "bouncer.ini").string()};
  if (::geteuid() == 0) {  // as which it does not run: as the owner of the server
    struct stat server{};
    ::stat((connection_option(url, "host") + "/.s.PGSQL." + connection_option(url, "port")).c_str(),
           &server);
    const passwd* const user = ::getpwuid(server.st_uid);
    if (user == nullptr || ::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("no user for pgbouncer");
    arguments.insert(arguments.begin(), {"-u", user->pw_name});
  }
  process_.emplace(program, arguments, folder, folder / "log");
  url_ = url + "&host=" + folder.string();
  if (!eventually([&] { return PQping(url_.c_str()) == PQPING_OK; }))
    throw std::runtime_error("pgbouncer did not start");
}

}  // namespace weir::testing
