#pragma once
#include "store/flow_store.hpp"
#include "store/postgres/reconnecting_session.hpp"

namespace weir::postgres {

/// The part of a worker's store that is about its flows; it uses the session of that store.
class PostgresFlowStore final : public FlowStore {
 public:
  explicit PostgresFlowStore(ReconnectingSession& session) : session_(session) {}

  Result<VersionId> register_version(const FlowDefinition& definition) override;
  Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) override;
  Result<void> set_limits(const std::string& flow, const FlowLimits& limits) override;
  Result<void> serve_versions(WorkerId worker,
                              const std::map<VersionId, ServedVersion>& versions) override;
  Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) override;

 private:
  ReconnectingSession& session_;
};

}  // namespace weir::postgres
