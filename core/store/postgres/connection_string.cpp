#include "store/postgres/connection_string.hpp"

#include <algorithm>
#include <cstdlib>
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

}  // namespace

NetworkLimits NetworkLimits::of_lease(milliseconds lease) {
  const milliseconds third = std::max<milliseconds>(lease / 3, seconds(2));
  const NetworkLimits usual;
  return {.connect = std::min(std::chrono::floor<seconds>(third), usual.connect),
          .silence = std::min(third, usual.silence)};
}

Result<std::string> with_limits(const std::string& url, NetworkLimits limits) {
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(url.c_str(), &why), PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> reason(why, PQfreemem);
  if (!options)
    return std::unexpected(connection_error(url, why != nullptr ? why : "out of memory"));

  // Two keepalive probes fit into the silence, whatever the server's own settings are.
  const auto probes =
      std::max<seconds>(std::chrono::floor<seconds>(limits.silence / 3), seconds(1));
  std::map<std::string_view, std::string> ours = {
      {"connect_timeout", std::to_string(limits.connect.count())},
      {"tcp_user_timeout", std::to_string(limits.silence.count())},
      {"keepalives_idle", std::to_string(probes.count())},
      {"keepalives_interval", std::to_string(probes.count())},
      {"keepalives_count", "2"}};
  if (std::getenv("PGCONNECT_TIMEOUT") != nullptr) ours.erase("connect_timeout");
  if (std::getenv("PGSERVICE") != nullptr) ours.clear();
  std::string all;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    all.append(option->keyword).append("=").append(quoted(option->val)).append(" ");
    if (std::string_view(option->keyword) == "service") ours.clear();
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (const auto found = ours.find(option->keyword);
        found != ours.end() && option->val == nullptr)
      all.append(found->first).append("=").append(found->second).append(" ");
  return all;
}

}  // namespace weir::postgres
