#include "plugin/published_plugins.hpp"

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

PluginStatus status_of(const OpenedPlugin& plugin) {
  PluginStatus status{.file = plugin.inspection.file,
                      .name = plugin.inspection.manifest.plugin,
                      .version = plugin.inspection.manifest.version,
                      .isolated = plugin.isolated};
  for (const FlowDefinition& flow : plugin.inspection.flows)
    status.flows.push_back(flow.slug().string());
  return status;
}

bool same(const PluginError& a, const PluginError& b) {
  return a.kind == b.kind && a.sha256 == b.sha256 && a.detail == b.detail;
}

}  // namespace

bool PublishedPlugins::publish(std::vector<OpenedPlugin> opened,
                               const std::vector<fs::path>& removed) {
  std::vector<std::string> removals;
  for (const fs::path& path : removed) {
    withdraw_refusal(path);
    if (live_.contains(path.native())) removals.push_back(path.native());
  }
  Updates updates, fresh;
  for (OpenedPlugin& plugin : opened) {
    const auto live = live_.find(plugin.inspection.file.path);
    if (live == live_.end())
      fresh.push_back(&plugin);
    else if (live->second.status.file.sha256 != plugin.inspection.file.sha256)
      updates.push_back(&plugin);
    else
      withdraw_refusal(plugin.inspection.file.path);
  }
  updates.insert(updates.end(), fresh.begin(), fresh.end());
  if (updates.empty() && removals.empty()) return false;

  Updates published = updates;
  for (Updates collided = commit(published, removals); !collided.empty();
       collided = commit(published, removals))
    std::erase_if(published, [&](OpenedPlugin* each) {
      return std::ranges::find(collided, each) != collided.end();
    });
  // Those that collided, alone: what kept one from its names may have collided itself.
  for (OpenedPlugin* const plugin : updates)
    if (std::ranges::find(published, plugin) == published.end() && commit({plugin}, {}).empty())
      published.push_back(plugin);
  if (removals.empty() && published.empty()) return false;
  const bool freed =
      !removals.empty() || std::ranges::any_of(published, [&](const OpenedPlugin* plugin) {
        return std::ranges::find(fresh, plugin) == fresh.end();
      });
  forget_ended();
  if (observer_.flows_changed) observer_.flows_changed();
  return freed;
}

// The flows that these files have no longer; `from` says which file had each.
std::vector<const PublishedPlugins::Flow*> PublishedPlugins::dropped_flows(const Updates& updates,
                                                                           const Paths& removals,
                                                                           Modules& from) const {
  std::vector<const Flow*> dropped;
  const auto drop = [&](const Flow& flow, const std::string& path) {
    dropped.push_back(&flow);
    from.emplace(flow.module.view(), path);
  };
  for (const std::string& path : removals)
    for (const Flow& flow : live_.at(path).flows) drop(flow, path);
  for (const OpenedPlugin* const plugin : updates) {
    const auto before = live_.find(plugin->inspection.file.path);
    if (before == live_.end()) continue;
    for (const Flow& flow : before->second.flows)
      if (std::ranges::none_of(plugin->inspection.flows,
                               [&](const auto& each) { return each.module() == flow.module; }))
        drop(flow, before->first);
  }
  return dropped;
}

// Returns the updates that collide, and then has changed nothing.
PublishedPlugins::Updates PublishedPlugins::commit(const Updates& updates, const Paths& removals) {
  if (updates.empty() && removals.empty()) return {};
  Modules from, moved;
  const std::vector<const Flow*> dropped = dropped_flows(updates, removals, from);
  for (const OpenedPlugin* const plugin : updates)
    for (const FlowDefinition& flow : plugin->inspection.flows)
      if (const auto before = from.find(flow.module().view()); before != from.end())
        moved.emplace(flow.module().view(), before->second);

  FlowRegistry::Transaction transaction = registry_.begin();
  std::size_t lost = 0;
  for (const Flow* const flow : dropped) {
    if (moved.contains(flow->module.view())) continue;
    transaction.unregister(flow->module);
    ++lost;
  }
  Updates asked;  // for each change that follows
  for (OpenedPlugin* const plugin : updates)
    for (const FlowModule& module : plugin->modules) {
      const auto path = moved.find(module.definition.module().view());
      transaction.succeed(module, path == moved.end() ? std::string() : path->second);
      asked.push_back(plugin);
    }
  const auto committed = transaction.commit();
  if (!committed) {
    if (updates.size() == 1 && removals.empty())
      refuse(refused_by_registry(committed.error(), updates.front()->inspection.file));
    Updates collided;
    for (const std::size_t change : transaction.collided())
      collided.push_back(asked.at(change - lost));
    WEIR_ASSERT(!collided.empty());  // a removal cannot
    return collided;
  }
  unloads_.push_back(committed->unload);
  for (const std::string& path : removals) note_removed(path, moved);
  auto changes = committed->changes | std::views::drop(lost);
  auto change = changes.begin();
  for (OpenedPlugin* const plugin : updates) {
    std::vector<FlowChange> own;
    for (std::size_t i = 0; i < plugin->modules.size(); ++i) own.push_back(*change++);
    note_live(*plugin, own, moved);
  }
  WEIR_ASSERT(change == changes.end());  // one for each step of the transaction
  return {};
}

void PublishedPlugins::note_live(OpenedPlugin& plugin, const std::vector<FlowChange>& changes,
                                 const Modules& moved) {
  WEIR_ASSERT(changes.size() == plugin.inspection.flows.size());
  const PluginFile file = plugin.inspection.file;
  withdraw_refusal(file.path);
  Published now{.status = status_of(plugin), .flows = {}, .code = {}};
  for (const FlowDefinition& flow : plugin.inspection.flows)
    now.flows.push_back({flow.module(), flow.slug()});
  if (!plugin.modules.empty()) now.code = plugin.modules.front().code;
  plugin.modules.clear();

  // The same code under another name, or again: it is no former version.
  std::erase_if(formers_, [&](const Published& former) {
    if (former.status.file.sha256 != file.sha256) return false;
    board_.remove(former.status.file);
    return true;
  });
  board_.put(now.status);
  for (std::size_t i = 0; i < now.flows.size(); ++i) {
    const auto& callback = changes[i] == FlowChange::added ? observer_.live : observer_.took_over;
    if (callback && changes[i] != FlowChange::unchanged) callback(file, now.flows[i].slug.view());
  }
  const auto before = live_.find(file.path);
  if (before == live_.end()) {
    live_.emplace(file.path, std::move(now));
    return;
  }
  Published former = std::exchange(before->second, std::move(now));
  for (const Flow& flow : former.flows)
    if (observer_.removed && !moved.contains(flow.module.view()) &&
        std::ranges::none_of(before->second.flows,
                             [&](const Flow& each) { return each.module == flow.module; }))
      observer_.removed(former.status.file, flow.slug.view());
  make_former(std::move(former));
}

void PublishedPlugins::note_removed(const std::string& path, const Modules& moved) {
  const auto live = live_.find(path);
  WEIR_ASSERT(live != live_.end());
  Published former = std::move(live->second);
  live_.erase(live);
  if (observer_.removed)
    for (const Flow& flow : former.flows)
      if (!moved.contains(flow.module.view()))
        observer_.removed(former.status.file, flow.slug.view());
  make_former(std::move(former));
}

void PublishedPlugins::make_former(Published published) {
  published.status.state = PluginState::former;
  board_.put(published.status);
  formers_.push_back(std::move(published));
}

void PublishedPlugins::refuse(PluginError error) {
  if (const auto before = refused_.find(error.path); before != refused_.end()) {
    if (same(before->second, error)) return;
    withdraw_refusal(error.path);
  }
  board_.put({.file = {.path = error.path, .sha256 = error.sha256},
              .state = PluginState::refused,
              .error = error});
  if (observer_.refused) observer_.refused(error);
  std::string path = error.path;
  refused_.insert_or_assign(std::move(path), std::move(error));
}

void PublishedPlugins::withdraw_refusal(const fs::path& path) {
  const auto refused = refused_.find(path.native());
  if (refused == refused_.end()) return;
  board_.remove({.path = refused->second.path, .sha256 = refused->second.sha256});
  refused_.erase(refused);
}

std::vector<fs::path> PublishedPlugins::collided() const {
  std::vector<fs::path> paths;
  for (const auto& [path, error] : refused_)
    if (error.stage == PluginStage::publish) paths.emplace_back(path);
  return paths;
}

void PublishedPlugins::unloaded(const LibraryReaper::UnloadReport& report) {
  std::erase_if(formers_, [&](const Published& former) {
    if (former.status.file.sha256 != report.sha256) return false;
    board_.remove(former.status.file);
    if (observer_.unloaded) observer_.unloaded(former.status.file);
    return true;
  });
}

void PublishedPlugins::pinned(const LibraryReaper::UnloadReport& report) {
  PluginError error = refusal(PluginStage::run, PluginFault::unload_pinned,
                              "it is no longer used, but its code is still mapped: " + report.why,
                              "it stays until the process ends")
                          .error();
  error.sha256 = report.sha256;
  error.path = report.staged.string();
  for (Published& former : formers_)
    if (former.status.file.sha256 == report.sha256) {
      error.path = former.status.file.path;
      former.status.state = PluginState::pinned;
      former.status.error = error;
      board_.put(former.status);
    }
  if (observer_.pinned) observer_.pinned(error);
}

void PublishedPlugins::forget_ended() {
  // A reader that was active while a version was removed kept it from ending at once.
  std::erase_if(unloads_, [](const UnloadTicket& each) { return each.ready(); });
  std::erase_if(formers_, [&](const Published& former) {
    // A library of this process is removed here when the reaper reports it.
    if (!former.code.expired() || LibraryReaper::of_process().knows(former.status.file.sha256))
      return false;
    board_.remove(former.status.file);
    if (observer_.unloaded) observer_.unloaded(former.status.file);
    return true;
  });
}

}  // namespace weir
