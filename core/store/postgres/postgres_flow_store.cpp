#include "store/postgres/postgres_flow_store.hpp"

#include "store/postgres/array_literal.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

constexpr auto adopted_columns = columns_of<AdoptedVersion>(
    column("version", &AdoptedVersion::version), column("moved", &AdoptedVersion::moved),
    column("held", &AdoptedVersion::held), column("refusal", &AdoptedVersion::refusal));

constexpr const char* register_version_call =
    "select version_id from weir.register_version($1, $2, $3, $4::jsonb, $5::jsonb)";

constexpr const char* register_plugin_call = "select weir.register_plugin($1, $2)";

constexpr const char* set_limits_call =
    "select weir.set_limits($1, $2::int, $3, $4, $5::int, $6, true)";

constexpr const char* serve_versions_call =
    "select weir.serve_versions($1::bigint, $2::int[], $3::int[], $4::boolean[], $5::boolean[], "
    "p_first_steps => $6::smallint[])";

constexpr const char* adopt_older_call =
    literal<[] { return "select " + adopted_columns.list() + " from weir.adopt_older($1::int)"; }>;

}  // namespace

Result<VersionId> PostgresFlowStore::register_version(const FlowDefinition& definition) {
  return value_of<VersionId>(session_.query(
      register_version_call,
      {definition.slug().string(), definition.module().string(), definition.fingerprint(),
       std::string(definition.canonical().text()), parameter(definition.input_schema())}));
}

Result<PluginId> PostgresFlowStore::register_plugin(const std::string& sha256,
                                                    const std::string& path) {
  return value_of<PluginId>(session_.query(register_plugin_call, {sha256, path}));
}

Result<void> PostgresFlowStore::set_limits(const std::string& flow, const FlowLimits& limits) {
  return done(
      session_.query(set_limits_call, {flow, parameter(limits.max_running), limits.rate, limits.key,
                                       parameter(limits.key_max_running), limits.key_rate}));
}

Result<void> PostgresFlowStore::serve_versions(WorkerId worker,
                                               const std::map<VersionId, ServedVersion>& versions) {
  ArrayLiteral ids, plugins, barred, offered, first_steps;
  for (const auto& [version, served] : versions) {
    ids.add(version);
    plugins.add(served.plugin);
    barred.add(static_cast<int>(served.barred));
    offered.add(static_cast<int>(served.offered));
    first_steps.add(served.first_step);
  }
  return done(
      session_.query(serve_versions_call, {std::to_string(worker), ids.text(), plugins.text(),
                                           barred.text(), offered.text(), first_steps.text()}));
}

Result<std::vector<AdoptedVersion>> PostgresFlowStore::adopt_older(VersionId version) {
  const auto rows = session_.query(adopt_older_call, {std::to_string(version)});
  if (!rows) return std::unexpected(rows.error());
  return adopted_columns.read_all(*rows);
}

}  // namespace weir::postgres
