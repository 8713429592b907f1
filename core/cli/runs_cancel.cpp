#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "client/client.hpp"

namespace weir::cli {

ExitCode run(const RunsCancel& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Client client = client_on(*opened->store);
  std::vector<Json> done;
  ExitCode code = ExitCode::ok;
  for (const std::string& id : command.ids) {
    const auto cancelled = client.cancel(id, command.reason);
    const auto after = cancelled ? client.summary(id) : std::unexpected(cancelled.error());
    if (!after) {
      code = console.fail(after.error());
      continue;
    }
    if (command.json)
      done.push_back(Json::object(std::vector<std::pair<std::string, Json>>{
          {"run_id", Json::string(after->id)},
          {"cancelled", Json::trusted(*cancelled ? "true" : "false")},
          {"status", Json::string(after->status)}}));
    else
      console.print(fmt::format("{}  {}\n", id,
                                !*cancelled              ? "was over: " + after->status
                                : is_over(after->status) ? after->status
                                                         : "ends: its worker was told"));
  }
  if (command.json) console.print(fmt::format("{}\n", Json::array(done).text()));
  return code;
}

}  // namespace weir::cli
