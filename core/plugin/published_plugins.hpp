#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/slug.hpp"
#include "plugin/library_reaper.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_board.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/plugin_observer.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// Which plugin files stand in a registry, and what became of those that do not or did: kept on the
/// board and told to the observer. Others may change the registry meanwhile, but not the modules of
/// these files.  [one thread]
///
/// A file's flows take their places in one transaction, with those of other files that come at the
/// same time and what goes at the same time, as far as nothing collides; a file whose flows collide
/// changes nothing. The version before stays beside the new one (V2), as long as anybody holds it
/// or the registry has it.
class PublishedPlugins {
 public:
  /// All of them outlive it.
  PublishedPlugins(FlowRegistry& registry, PluginBoard& board, const PluginObserver& observer)
      : registry_(registry), board_(board), observer_(observer) {}

  /// Takes out the flows of files that went and puts in those of plugins that came or changed. A
  /// plugin with the bytes its file had before is no change. True when a name may have become free.
  bool publish(std::vector<OpenedPlugin> came, const std::vector<std::filesystem::path>& went);

  /// A file, or a folder, that can't be used as it is; what was published from it stays. Told when
  /// it is another refusal than its last.
  void refuse(PluginError error);

  /// What is said of a path that is no longer refused is taken back.
  void accept(const std::filesystem::path& path);

  /// Files whose names are taken by others.
  std::vector<std::filesystem::path> collided() const;

  /// What the reaper says.
  void unloaded(const LibraryReaper::Leaving& leaving);
  void pinned(const LibraryReaper::Leaving& leaving);

  /// Takes versions from the board that nobody holds any more.
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

  bool commit(const std::vector<OpenedPlugin*>& came, const std::vector<std::string>& went);
  std::vector<ModuleName> leaving(const std::vector<OpenedPlugin*>& came,
                                  const std::vector<std::string>& went) const;
  void note_live(OpenedPlugin& plugin, const std::vector<FlowChange>& changes);
  void note_gone(const std::string& path);
  void make_former(Published published);

  FlowRegistry& registry_;
  PluginBoard& board_;
  const PluginObserver& observer_;
  std::map<std::string, Published> live_;       // by path
  std::map<std::string, PluginError> refused_;  // by path
  std::vector<Published> formers_;              // whose code may still be held
  std::vector<UnloadTicket> unloads_;           // asked until ready: asking ends what can end
};

}  // namespace weir
