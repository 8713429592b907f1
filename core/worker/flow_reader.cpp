#include "worker/flow_reader.hpp"

#include <algorithm>
#include <chrono>

#include "plugin/quarantine.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds flows_slice{100};  // time to read the registry, between two exchanges
constexpr milliseconds flows_pause{1'000};

}  // namespace

std::optional<std::vector<VersionId>> FlowReader::read(WorkerId worker, Steady now) {
  if (release_at_ && now >= *release_at_) flows_at_ = now;
  if (!flows_at_ || now < *flows_at_) return std::nullopt;
  std::vector<VersionId> claimable;
  const auto whole = reread(worker, now, claimable);
  flows_at_ = !whole   ? std::optional(now + flows_pause)
              : *whole ? std::nullopt
                       : std::optional(now);
  if (whole)
    reading_.succeeded(now);
  else
    reading_.failed(whole.error(), now);
  return claimable;
}

Result<bool> FlowReader::reread(WorkerId worker, Steady now, std::vector<VersionId>& claimable) {
  const auto whole = flows_.refresh(now + flows_slice);
  if (options_.quarantine) release_at_ = options_.quarantine->next_release(now);
  const auto versions = flows_.served(now);
  for (const auto& [version, served] : versions)
    if (!served.barred) claimable.push_back(version);
  registration_.serve(flows_.slugs());
  if (!whole) return whole;
  if (reported_ == versions) return whole;
  if (const auto reported = store_.serve_versions(worker, versions); !reported)
    return std::unexpected(reported.error());
  if (reported_)
    log_.info("worker {} can now run {} flow version{}", worker, claimable.size(),
              claimable.size() == 1 ? "" : "s");
  reported_ = versions;
  return whole;
}

bool FlowReader::is_barred(const FlowHandle& flow, Steady now) const {
  return release_at_ && options_.quarantine->barred(flow->file.sha256, now);
}

std::optional<Steady> FlowReader::due_at() const {
  if (flows_at_ && release_at_) return std::min(*flows_at_, *release_at_);
  return flows_at_ ? flows_at_ : release_at_;
}

}  // namespace weir
