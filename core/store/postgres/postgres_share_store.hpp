#pragma once
#include "store/postgres/reconnecting_session.hpp"
#include "store/share_store.hpp"

namespace weir::postgres {

/// The part of a worker's store that shares wide work; it uses the session of that store.
class PostgresShareStore final : public ShareStore {
 public:
  explicit PostgresShareStore(ReconnectingSession& session) : session_(session) {}

  Result<Helpers> helpers_for(WorkerId worker, RunKey run) override;
  Result<void> offer_shares(WorkerId worker, RunKey run,
                            std::span<const OfferedRange> ranges) override;
  Result<std::vector<HeldRange>> take_back_shares(WorkerId worker,
                                                  std::span<const RunKey> runs) override;
  Result<std::vector<ShareResult>> fetch_share_results(
      WorkerId worker, std::span<const RunKey> runs,
      std::span<const std::int64_t> acknowledged) override;
  Result<void> drop_shares(WorkerId worker, RunKey run, std::size_t step) override;
  Result<std::vector<TakenShare>> take_shares(WorkerId worker, std::span<const VersionId> versions,
                                              std::size_t count,
                                              std::span<const RunKey> known_runs) override;
  Result<std::vector<ShareId>> held_shares(WorkerId worker) override;
  Result<std::size_t> settle_share(WorkerId worker, ShareId share, std::span<const JournalRow> rows,
                                   std::optional<PluginId> plugin) override;
  Result<void> return_share(WorkerId worker, ShareId share, std::size_t from) override;

 private:
  ReconnectingSession& session_;
};

}  // namespace weir::postgres
