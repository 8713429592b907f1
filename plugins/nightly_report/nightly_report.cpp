#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <weir/flow.hpp>

#include "inventory.hpp"

namespace nightly_report {

WEIR_JSON(Ending, ending, files, bytes)

namespace {

struct Order {
  std::string folder;
  std::string reports;
};
WEIR_JSON(Order, folder, reports)

struct Page {
  std::string day;
  std::string text;
};
WEIR_JSON(Page, day, text)

struct Collected {
  std::vector<Ending> collect;
};
WEIR_JSON(Collected, collect)

struct Rendered {
  Page render;
};
WEIR_JSON(Rendered, render)

struct Stored {
  std::string report;
};
WEIR_JSON(Stored, report)

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm day{};
  ::gmtime_r(&now, &day);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &day)};
}

std::vector<Ending> collect(weir::Context& context, const Order& order) {
  if (!std::filesystem::is_directory(order.folder))
    throw weir::permanent("no_folder", order.folder + " is no folder");
  return inventory(order.folder, [&] { context.check(); });
}

Page render(weir::Context& context, const Collected& collected) {
  Page page{today(), ""};
  page.text = "# " + context.flow_input<Order>().folder + " on " + page.day + "\n\n";
  page.text += "| ending | files | bytes |\n|---|---|---|\n";
  for (const Ending& ending : collected.collect)
    page.text += "| " + ending.ending + " | " + std::to_string(ending.files) + " | " +
                 std::to_string(ending.bytes) + " |\n";
  return page;
}

Stored store(weir::Context& context, const Rendered& rendered) {
  namespace fs = std::filesystem;
  const fs::path reports = context.flow_input<Order>().reports;
  fs::create_directories(reports);
  const fs::path place = reports / (rendered.render.day + ".md");
  const fs::path draft = place.string() + "." + std::string(context.run_id());
  std::ofstream file(draft);
  file << rendered.render.text;
  file.close();
  if (!file)
    throw fs::filesystem_error("cannot write", draft, std::make_error_code(std::errc::io_error));
  fs::rename(draft, place);
  return {place.string()};
}

}  // namespace

WEIR_FLOW(nightly_report, "examples.NightlyReport", options().timeout(10min),
          step<collect>("collect"), step<render>("render").after("collect"),
          step<store>("store").after("render"))
WEIR_PLUGIN(nightly_report)

}  // namespace nightly_report
