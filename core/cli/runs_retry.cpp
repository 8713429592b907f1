#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/effects.hpp"
#include "client/client.hpp"

namespace weir::cli {
namespace {

Result<Effect> retry(Client& client, const std::string& id) {
  const auto tasks = client.retry(id);
  if (!tasks) return std::unexpected(tasks.error());
  return Effect{.line = *tasks == 0 ? fmt::format("{}  goes on\n", id)
                                    : fmt::format("{}  goes on: {} failed task{} tried anew\n", id,
                                                  *tasks, *tasks == 1 ? " is" : "s are"),
                .json = Json::object(std::vector<std::pair<std::string, Json>>{
                    {"run_id", Json::string(id)}, {"tasks", Json::number(*tasks)}})};
}

}  // namespace

ExitCode run(const RunsRetry& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Client client = client_on(*opened->store);
  Effects effects(command.json, console);
  for (const std::string& id : command.ids) effects.add(retry(client, id));
  return effects.end();
}

}  // namespace weir::cli
