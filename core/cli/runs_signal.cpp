#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/json_argument.hpp"
#include "client/client.hpp"

namespace weir::cli {

ExitCode run(const RunsSignal& command, const Globals& globals, Console& console) {
  const auto payload = read_json_argument("--payload", command.payload, console);
  if (!payload) return payload.error();
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto sent = client_on(*opened->store).signal(command.id, command.name, *payload);
  if (!sent) return console.fail(sent.error());
  if (command.json)
    console.print(fmt::format("{}\n", Json::object(std::vector<std::pair<std::string, Json>>{
                                                       {"run_id", Json::string(command.id)},
                                                       {"signal", Json::string(command.name)},
                                                       {"sent", Json::boolean(*sent)}})
                                          .text()));
  else
    console.print(fmt::format("{}  {}\n", command.id,
                              *sent ? "signalled" : "was signalled before: nothing changed"));
  return ExitCode::ok;
}

}  // namespace weir::cli
