#include "store/postgres/postgres_plugin_store.hpp"

#include "base/assert.hpp"
#include "base/iso8601.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

constexpr auto use_columns =
    columns_of<VersionUse>(column("v.version", &VersionUse::version),
                           // A version that was never registered has no runs.
                           column("coalesce(v.safe_to_remove, true)", &VersionUse::safe_to_remove));

constexpr const char* version_uses_call = literal<[] {
  return "select " + use_columns.list() +
         " from unnest($1::text[], $2::text[]) with ordinality as k(slug, fingerprint, place) "
         "left join weir.versions v on v.flow = k.slug and v.fingerprint = k.fingerprint "
         "order by k.place";
}>;

constexpr const char* report_plugins_call =
    "select weir.report_plugins($1, $2::int, $3::timestamptz, $4::jsonb)";

}  // namespace

Result<std::vector<VersionUse>> PostgresPluginStore::version_uses(
    std::span<const std::pair<std::string, std::string>> versions) {
  ArrayLiteral slugs, fingerprints;
  for (const auto& [slug, fingerprint] : versions) {
    slugs.add_text(slug);
    fingerprints.add_text(fingerprint);
  }
  const auto rows = session_.query(version_uses_call, {slugs.text(), fingerprints.text()});
  if (!rows) return std::unexpected(rows.error());
  std::vector<VersionUse> uses = use_columns.read_all(*rows);
  WEIR_ASSERT(uses.size() == versions.size());
  return uses;
}

Result<void> PostgresPluginStore::report_plugins(const ReportingProcess& process,
                                                 const std::optional<Json>& plugins) {
  return done(
      session_.query(report_plugins_call, {process.host, std::to_string(process.pid),
                                           iso8601(process.started_at), parameter(plugins)}));
}

}  // namespace weir::postgres
