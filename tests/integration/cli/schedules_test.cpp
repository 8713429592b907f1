// Schedules and old runs, by the program.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "integration/cli/shop.hpp"

using weir::testing::Ran;
using weir::testing::ServedShop;

TEST_SUITE_BEGIN("cli: schedules and old runs");

TEST_CASE("C5: a schedule is added and listed and paused and removed by the program") {
  const ServedShop served;
  const Ran none = served.shop.run({"schedules", "list"});
  CHECK(none.code == 0);
  CHECK(none.err.contains("there is no schedule"));
  const Ran added = served.shop.run({"schedules", "add", "night", "process_order", "0 0 1 1 *",
                                     "--time-zone", "Asia/Kathmandu", "--input", "{\"a\": 1}"});
  CHECK(added.code == 0);
  CHECK(added.out.starts_with("schedule night starts process_order at\n  2"));
  CHECK(added.out.contains("-12-31 18:15:00 UTC, in "));
  const Ran listed = served.shop.run({"schedules", "list", "--json"});
  CHECK(listed.out.starts_with("[{\"name\":\"night\",\"flow\":\"process_order\""));
  CHECK(listed.out.contains("\"input\":{\"a\": 1}"));
  CHECK(served.shop.run({"schedules", "pause", "night"}).out == "schedule night paused\n");
  CHECK(served.shop.run({"schedules", "pause", "night"}).out ==
        "schedule night was paused already\n");
  CHECK(served.shop.run({"schedules", "resume", "night"}).out == "schedule night resumed\n");
  const Ran wrong = served.shop.run({"schedules", "pause", "nigth"});
  CHECK(wrong.code == 1);
  CHECK(wrong.err == "weir: error: no schedule \"nigth\" (did you mean \"night\"?)\n");
  CHECK(served.shop.run({"schedules", "remove", "night"}).out == "schedule night removed\n");
  CHECK(served.shop.run({"schedules", "remove", "night"}).out == "schedule night did not exist\n");
  const Ran bad = served.shop.run({"schedules", "add", "a", "b", "0 25 * * *"});
  CHECK(bad.code == 2);
  CHECK(bad.err.starts_with("weir: error: cron \"0 25 * * *\": hour \"25\" is not 0 to 23"));
}

TEST_CASE("C7: what is to be pruned is said by the command or by the configuration") {
  const ServedShop served;
  const Ran silent = served.shop.run({"prune"});
  CHECK(silent.code == 2);
  CHECK(silent.err.contains("keeps these runs for ever"));
  const Ran wrong = served.shop.run({"prune", "--older-than", "soon"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err.contains("expected an age such as \"30d\""));
  const Ran dry = served.shop.run({"prune", "--older-than", "1h", "--dry-run"});
  CHECK(dry.code == 0);
  CHECK(dry.out == "0 runs, 0 attempts would be deleted\n");
  const Ran json = served.shop.run({"prune", "--older-than", "1h", "--json"});
  CHECK(json.out ==
        "{\"dry_run\":false,\"runs\":0,\"attempts\":0,\"partitions\":0,\"workers\":0}\n");
}

TEST_SUITE_END();
