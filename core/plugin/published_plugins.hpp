#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/slug.hpp"
#include "plugin/library_reaper.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_board.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/plugin_observer.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// Keeps track of which plugin files are in a registry, which were and which are refused, on the
/// board, and notifies the observer. Others may change the registry meanwhile, but not the modules
/// of these files.  [one thread]
///
/// The flows of all files that are added, changed or removed together are published in one
/// transaction, without the files whose flows collide: these change nothing, and files that were
/// live go before new ones. A flow is continued by whichever file has it next: its previous version
/// stays beside the new one (V2), as long as it is held or in the registry, also when the file that
/// had it is gone or has other flows now.
class PublishedPlugins {
 public:
  /// All references must outlive it.
  PublishedPlugins(FlowRegistry& registry, PluginBoard& board, const PluginObserver& observer)
      : registry_(registry), board_(board), observer_(observer) {}

  /// Removes the flows of files that are gone and registers those of plugins that are new or
  /// changed. A plugin with the bytes its file had before changes nothing. True when a name may
  /// have become free.
  bool publish(std::vector<OpenedPlugin> opened, const std::vector<std::filesystem::path>& removed);

  /// Notes that a file, or a folder, can't be used as it is; what was published from it stays. The
  /// observer is notified when the refusal differs from the last one.
  void refuse(PluginError error);

  /// Withdraws the refusal of a path, if there is one.
  void withdraw_refusal(const std::filesystem::path& path);

  /// Files with names that other files hold.
  std::vector<std::filesystem::path> collided() const;

  /// For what the reaper reports.
  void unloaded(const LibraryReaper::UnloadReport& report);
  void pinned(const LibraryReaper::UnloadReport& report);

  /// Removes the versions from the board that are no longer held.
  void forget_ended();

 private:
  struct Flow {
    ModuleName module;
    Slug slug;
  };
  struct Published {
    PluginStatus status;
    std::vector<Flow> flows;
    std::weak_ptr<const void> code;
  };

  using Updates = std::vector<OpenedPlugin*>;
  using Paths = std::vector<std::string>;
  using Modules = std::map<std::string_view, std::string>;  // and paths

  Updates commit(const Updates& updates, const Paths& removals);
  std::vector<const Flow*> dropped_flows(const Updates& updates, const Paths& removals,
                                         Modules& from) const;
  void note_live(OpenedPlugin& plugin, const std::vector<FlowChange>& changes,
                 const Modules& moved);
  void note_removed(const std::string& path, const Modules& moved);
  void make_former(Published published);

  FlowRegistry& registry_;
  PluginBoard& board_;
  const PluginObserver& observer_;
  std::map<std::string, Published> live_;       // by path
  std::map<std::string, PluginError> refused_;  // by path
  std::vector<Published> formers_;              // whose code may still be held
  std::vector<UnloadTicket> unloads_;           // polled until ready, which destroys what it can
};

}  // namespace weir
