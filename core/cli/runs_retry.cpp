#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "client/client.hpp"

namespace weir::cli {

ExitCode run(const RunsRetry& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Client client = client_on(*opened->store);
  std::vector<Json> done;
  ExitCode code = ExitCode::ok;
  for (const std::string& id : command.ids) {
    const auto tasks = client.retry(id);
    if (!tasks) {
      code = console.fail(tasks.error());
      continue;
    }
    if (command.json)
      done.push_back(Json::object(std::vector<std::pair<std::string, Json>>{
          {"run_id", Json::string(id)}, {"tasks", Json::number(*tasks)}}));
    else
      console.print(*tasks == 0 ? fmt::format("{}  goes on\n", id)
                                : fmt::format("{}  goes on: {} failed task{} tried anew\n", id,
                                              *tasks, *tasks == 1 ? " is" : "s are"));
  }
  if (command.json) console.print(fmt::format("{}\n", Json::array(done).text()));
  return code;
}

}  // namespace weir::cli
