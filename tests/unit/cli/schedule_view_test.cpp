#include "cli/views/schedule_view.hpp"

#include <sstream>
#include <variant>

#include <doctest/doctest.h>

#include "base/display_width.hpp"
#include "cli/command_line/command_line.hpp"
#include "cli/commands/prune.hpp"
#include "cli/commands/schedules.hpp"
#include "unit/cli/command.hpp"
#include "unit/cli/now.hpp"

using namespace weir;
using namespace weir::cli;
using weir::testing::command;
using weir::testing::now;

namespace {

std::vector<ScheduleReport> schedules() {
  return {{.spec = {.name = "report",
                    .flow = "nightly_report",
                    .cron = "30 2 * * mon-fri",
                    .time_zone = "Europe/Berlin",
                    .tags = {"night"}},
           .status = "active",
           .next_at = now + std::chrono::minutes(65),
           .last_at = now - std::chrono::hours(23),
           .last_run = "0198c0de-0000-7000-8000-000000000000"},
          {.spec = {.name = "sync", .flow = "import", .cron = "@every 90s", .missed = "skip"},
           .status = "waiting",
           .next_at = now - std::chrono::seconds(5),
           .error = "no flow \"import\" in this database"},
          {.spec = {.name = "bill", .flow = "monthly_bill", .cron = "@monthly", .paused = true},
           .status = "paused"}};
}

std::string refused(const std::vector<std::string>& words) {
  const auto read = parse_command_line(words);
  REQUIRE(std::holds_alternative<Answer>(read));
  CHECK(std::get<Answer>(read).code == ExitCode::usage);
  return std::get<Answer>(read).text;
}

}  // namespace

TEST_SUITE("cli: schedules") {
  TEST_CASE("C5: each schedule says when it is due and why it waits") {
    CHECK(schedules_text(schedules(), now, {}) ==
          "NAME    FLOW            CRON              TIME ZONE      STATUS   NEXT      LAST     "
          "ERROR\n"
          "report  nightly_report  30 2 * * mon-fri  Europe/Berlin  active   in 1h05m  23h ago\n"
          "sync    import          @every 90s        UTC            waiting  now                no "
          "flow \"import\" in this database\n"
          "bill    monthly_bill    @monthly          UTC            paused\n");
  }

  TEST_CASE("schedules fit into 80 columns") {
    std::istringstream lines(schedules_text(schedules(), now, {.live = true, .columns = 80}));
    for (std::string line; std::getline(lines, line);) CHECK(display_width(line) <= 80);
  }

  TEST_CASE("schedules are JSON with the names of weir.schedules") {
    CHECK(
        schedule_json(schedules()[0]).text() ==
        R"({"name":"report","flow":"nightly_report","cron":"30 2 * * mon-fri","time_zone":"Europe/Berlin","status":"active","next_at":"2027-01-15T09:05:00.000000Z","last_at":"2027-01-14T09:00:00.000000Z","last_run":"0198c0de-0000-7000-8000-000000000000","input":null,"priority":0,"tags":["night"],"missed":"run","error":null})");
  }

  TEST_CASE("what is said of a schedule arrives in the command") {
    const auto add = command<SchedulesAdd>({"schedules", "add", "report", "nightly_report",
                                            "30 2 * * *", "--time-zone", "Europe/Berlin", "--input",
                                            "{}", "--tag", "a", "--tag", "b", "--missed", "skip",
                                            "--priority", "-5", "--paused", "--json"});
    CHECK(add.name == "report");
    CHECK(add.flow == "nightly_report");
    CHECK(add.cron == "30 2 * * *");
    CHECK(add.time_zone == "Europe/Berlin");
    CHECK(add.input == "{}");
    CHECK(add.tags == std::vector<std::string>{"a", "b"});
    CHECK(add.missed == "skip");
    CHECK(add.priority == -5);
    CHECK(add.paused);
    CHECK(add.json);
    CHECK(command<SchedulesAdd>({"schedules", "add", "a", "b", "@daily"}).time_zone == "UTC");
    CHECK(command<SchedulesList>({"schedules", "list", "--json"}).json);
    CHECK(command<SchedulesRemove>({"schedules", "remove", "a"}).name == "a");
    CHECK(command<SchedulesPause>({"schedules", "pause", "a"}).name == "a");
    CHECK(command<SchedulesResume>({"schedules", "resume", "a"}).name == "a");
    CHECK(refused({"schedules", "add", "a", "b", "@daily", "--missed", "rn"})
              .contains("no missed \"rn\""));
    const auto prune = command<Prune>({"prune", "--older-than", "30d", "--flow", "f", "--dry-run"});
    CHECK(prune.older_than == "30d");
    CHECK(prune.flow == "f");
    CHECK(prune.dry_run);
    CHECK_FALSE(command<Prune>({"prune"}).older_than.has_value());
  }
}
