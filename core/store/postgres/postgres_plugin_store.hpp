#pragma once
#include "store/plugin_store.hpp"
#include "store/postgres/reconnecting_session.hpp"

namespace weir::postgres {

/// The part of a worker's store that is about plugin files; it uses the session of that store.
class PostgresPluginStore final : public PluginStore {
 public:
  explicit PostgresPluginStore(ReconnectingSession& session) : session_(session) {}

  Result<std::vector<std::string>> flows_with_open_runs() override;
  Result<std::vector<VersionReport>> versions_of(const std::vector<std::string>& flows) override;
  Result<void> report_plugins(const ReportingProcess& process,
                              const std::optional<Json>& plugins) override;

 private:
  ReconnectingSession& session_;
};

}  // namespace weir::postgres
