#include "cli/views/plugin_view.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/iso8601.hpp"
#include "base/sha256.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/times.hpp"
#include "cli/views/flow_view.hpp"

namespace weir::cli {
namespace {

Tone tone_of(std::string_view state) noexcept {
  if (state == "live" || state == "sound") return Tone::good;
  return state == "former" ? Tone::faint : Tone::bad;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json::string(text); }

ShownPlugin shown(const ReportedPlugin& report) {
  return {.path = report.path,
          .sha256 = report.sha256,
          .plugin = report.plugin,
          .version = report.version,
          .flows = report.flows,
          .state = report.state,
          .isolated = report.isolated,
          .in_folder = false,
          .processes = 1,
          .kind = report.kind,
          .detail = report.detail,
          .hint = report.hint,
          .until = report.until,
          .pending_calls = report.pending_calls};
}

}  // namespace

std::vector<ShownPlugin> joined(std::vector<ShownPlugin> in_folders,
                                std::span<const ReportedPlugin> reported) {
  std::vector<ShownPlugin> rows = std::move(in_folders);
  const std::size_t files = rows.size();
  for (const ReportedPlugin& report : reported) {
    const auto same = [&](const ShownPlugin& row) {
      return row.path == report.path && row.sha256 == report.sha256;
    };
    const auto counted = std::ranges::find_if(rows, [&](const ShownPlugin& row) {
      return same(row) && row.processes > 0 && row.state == report.state;
    });
    if (counted != rows.end()) {
      ++counted->processes;
      counted->pending_calls += report.pending_calls;
      continue;
    }
    ShownPlugin row = shown(report);
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(files);
    const auto file = std::find_if(rows.begin(), end, same);
    row.in_folder = file != end;
    if (file != end && file->processes == 0)
      *file = std::move(row);
    else
      rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, [](const ShownPlugin& a, const ShownPlugin& b) {
    return std::tie(a.path, b.in_folder, a.state, a.sha256) <
           std::tie(b.path, a.in_folder, b.state, b.sha256);
  });
  return rows;
}

void mark_not_served(std::span<ShownPlugin> plugins, std::span<const VersionReport> versions) {
  for (ShownPlugin& plugin : plugins) {
    if (plugin.processes == 0 || plugin.state != "live") continue;
    for (const std::string& flow : plugin.flows)
      if (std::ranges::none_of(versions, [&](const VersionReport& each) {
            return each.flow == flow && std::ranges::count(each.plugins, plugin.sha256) > 0;
          }))
        plugin.not_served.push_back(flow);
  }
}

Json plugin_json(const ShownPlugin& plugin) {
  std::vector<Json> flows, not_served;
  for (const std::string& slug : plugin.flows) flows.push_back(Json::string(slug));
  for (const std::string& slug : plugin.not_served) not_served.push_back(Json::string(slug));
  return Json::object(std::vector<std::pair<std::string, Json>>{
      {"path", Json::string(plugin.path)},
      {"sha256", text_or_null(plugin.sha256)},
      {"plugin", text_or_null(plugin.plugin)},
      {"version", text_or_null(plugin.version)},
      {"flows", Json::array(flows)},
      {"not_served", Json::array(not_served)},
      {"state", Json::string(plugin.state)},
      {"isolated", Json::boolean(plugin.isolated)},
      {"in_folder", Json::boolean(plugin.in_folder)},
      {"processes", Json::number(static_cast<std::int64_t>(plugin.processes))},
      {"kind", text_or_null(plugin.kind)},
      {"detail", text_or_null(plugin.detail)},
      {"hint", text_or_null(plugin.hint)},
      {"until", plugin.until ? Json::string(iso8601(*plugin.until)) : Json()},
      {"pending_calls", Json::number(plugin.pending_calls)}});
}

std::string plugins_text(std::span<const ShownPlugin> plugins, const Terminal& terminal) {
  Table table({{"FILE"},
               {"STATE", Table::Column::whole},
               {"PROCESSES", Table::Column::right},
               {"PLUGIN"},
               {"FLOWS"},
               {"SHA256", Table::Column::whole}});
  for (const ShownPlugin& plugin : plugins) {
    const std::string name =
        plugin.version.empty() ? plugin.plugin : plugin.plugin + " " + plugin.version;
    table.add({{shown_path(plugin.path), Tone::strong},
               {plugin.state, tone_of(plugin.state)},
               {fmt::format("{}", plugin.processes)},
               {plugin.isolated ? name + " (isolated)" : name},
               {fmt::format("{}", fmt::join(plugin.flows, " "))},
               {short_hash(plugin.sha256), Tone::faint}});
  }
  return table.text(terminal);
}

std::string why(const ShownPlugin& plugin) {
  if (!plugin.not_served.empty())
    return fmt::format("{}: no worker has taken over {} {} (the log of weir serve says why)",
                       shown_path(plugin.path), plugin.not_served.size() == 1 ? "flow" : "flows",
                       fmt::join(plugin.not_served, ", "));
  if (plugin.pending_calls > 0)
    return fmt::format("{}: stays loaded: {} deferred call{} pending", shown_path(plugin.path),
                       plugin.pending_calls, plugin.pending_calls == 1 ? " is" : "s are");
  if (plugin.kind.empty()) return {};
  std::string text = fmt::format("{}: {}: {}", shown_path(plugin.path), plugin.kind, plugin.detail);
  if (plugin.until) text += fmt::format("; until {} UTC", shown_time(*plugin.until));
  return plugin.hint.empty() ? text : fmt::format("{} ({})", text, plugin.hint);
}

}  // namespace weir::cli
