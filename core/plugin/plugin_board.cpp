#include "plugin/plugin_board.hpp"

namespace weir {

std::string_view name(PluginState state) noexcept {
  switch (state) {
    case PluginState::live:
      return "live";
    case PluginState::former:
      return "former";
    case PluginState::refused:
      return "refused";
    case PluginState::quarantined:
      return "quarantined";
    case PluginState::pinned:
      return "unload_pinned";
  }
  return "unknown";
}

void PluginBoard::put(PluginStatus status) {
  const std::scoped_lock lock(mutex_);
  Key key(status.file.path, status.file.sha256);
  statuses_.insert_or_assign(std::move(key), std::move(status));
  ++revision_;
}

void PluginBoard::remove(const PluginFile& file) {
  const std::scoped_lock lock(mutex_);
  if (statuses_.erase({file.path, file.sha256}) == 0) return;
  ++revision_;
}

std::vector<PluginStatus> PluginBoard::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<PluginStatus> all;
  for (const auto& [key, status] : statuses_) all.push_back(status);
  return all;
}

std::uint64_t PluginBoard::revision() const {
  const std::scoped_lock lock(mutex_);
  return revision_;
}

}  // namespace weir
