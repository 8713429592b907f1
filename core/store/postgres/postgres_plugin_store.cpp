#include "store/postgres/postgres_plugin_store.hpp"

#include "base/iso8601.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"
#include "store/postgres/report_columns.hpp"

namespace weir::postgres {
namespace {

constexpr const char* versions_of_call = literal<[] {
  return "select " + version_columns.list() +
         " from weir.versions where flow = any ($1::text[]) order by flow, version desc";
}>;

constexpr const char* open_flows_call =
    "select distinct flow from weir.versions where open_runs > 0";

constexpr const char* report_plugins_call =
    "select weir.report_plugins($1, $2::int, $3::timestamptz, $4::jsonb)";

}  // namespace

Result<std::vector<VersionReport>> PostgresPluginStore::versions_of(
    const std::vector<std::string>& flows) {
  const auto rows = session_.query(versions_of_call, {array_of(flows)});
  if (!rows) return std::unexpected(rows.error());
  return version_columns.read_all(*rows);
}

Result<std::vector<std::string>> PostgresPluginStore::flows_with_open_runs() {
  const auto rows = session_.query(open_flows_call);
  if (!rows) return std::unexpected(rows.error());
  std::vector<std::string> flows;
  for (const auto& row : *rows) flows.push_back(row[0].as<std::string>());
  return flows;
}

Result<void> PostgresPluginStore::report_plugins(const ReportingProcess& process,
                                                 const std::optional<Json>& plugins) {
  return done(
      session_.query(report_plugins_call, {process.host, std::to_string(process.pid),
                                           iso8601(process.started_at), parameter(plugins)}));
}

}  // namespace weir::postgres
