#include "store/postgres/connection_string.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include <libpq-fe.h>

#include "store/postgres/sql_error.hpp"

namespace weir::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string quoted(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

using Options = std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)>;

// What libpq would connect with: the environment and the service are resolved. Only the beginning of
// a connect does that; this one ends before anybody is asked, as there is no such sslmode.
Options options_used(const std::string& connection_string) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> refused(
      PQconnectStart((connection_string + "sslmode=none_such").c_str()), PQfinish);
  return {PQconninfo(refused.get()), PQconninfoFree};
}

}  // namespace

NetworkLimits NetworkLimits::of_lease(milliseconds lease) {
  const milliseconds third = std::max<milliseconds>(lease / 3, seconds(2));
  const NetworkLimits usual;
  return {.connect = std::min(std::chrono::floor<seconds>(third), usual.connect),
          .silence = std::min(third, usual.silence)};
}

Result<std::string> with_limits(const std::string& url, NetworkLimits limits) {
  char* why = nullptr;
  const Options given(PQconninfoParse(url.c_str(), &why), PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> reason(why, PQfreemem);
  if (!given) return std::unexpected(connection_error(url, why != nullptr ? why : "out of memory"));
  std::string all;
  for (const PQconninfoOption* option = given.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr)
      all.append(option->keyword).append("=").append(quoted(option->val)).append(" ");

  // Two keepalive probes fit into the silence, whatever the server's own settings are.
  const auto probes =
      std::max<seconds>(std::chrono::floor<seconds>(limits.silence / 3), seconds(1));
  const std::map<std::string_view, std::int64_t> ours = {
      {"connect_timeout", limits.connect.count()},
      {"tcp_user_timeout", limits.silence.count()},
      {"keepalives_idle", probes.count()},
      {"keepalives_interval", probes.count()},
      {"keepalives_count", 2}};
  const Options used = options_used(all);
  std::string limited = all;
  for (const PQconninfoOption* option = used.get(); option && option->keyword != nullptr; ++option)
    if (const auto found = ours.find(option->keyword);
        found != ours.end() && (option->val == nullptr || *option->val == '\0'))
      limited.append(found->first).append("=").append(std::to_string(found->second)).append(" ");
  return limited;
}

}  // namespace weir::postgres
