#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/effects.hpp"
#include "client/client.hpp"

namespace weir::cli {
namespace {

Result<Effect> cancel(Client& client, const std::string& id, const std::string& reason) {
  const auto cancelled = client.cancel(id, reason);
  if (!cancelled) return std::unexpected(cancelled.error());
  const auto after = client.summary(id);
  if (!after) return std::unexpected(after.error());
  return Effect{.line = fmt::format("{}  {}\n", id,
                                    !*cancelled              ? "was over: " + after->status
                                    : is_over(after->status) ? after->status
                                                             : "ends: its worker was told"),
                .json = Json::object(std::vector<std::pair<std::string, Json>>{
                    {"run_id", Json::string(after->id)},
                    {"cancelled", Json::boolean(*cancelled)},
                    {"status", Json::string(after->status)}})};
}

}  // namespace

ExitCode run(const RunsCancel& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Client client = client_on(*opened->store);
  Effects effects(command.json, console);
  for (const std::string& id : command.ids) effects.add(cancel(client, id, command.reason));
  return effects.end();
}

}  // namespace weir::cli
