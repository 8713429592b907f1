#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/console.hpp"
#include "cli/exit_code.hpp"

namespace weir::cli {

/// What every command is told besides its own arguments.
struct Globals {
  std::optional<std::filesystem::path> config;  ///< --config, else $WEIR_CONFIG
  std::optional<std::string> database;          ///< --database
};

// One struct a command, as the command line fills it; run() of each is in the .cpp of its name.

struct Init {
  std::filesystem::path folder = ".";
};
struct PluginsLint {
  std::vector<std::filesystem::path> files;
  bool json = false;
  bool strict = false;  ///< warnings are faults
};
struct PluginsNew {
  std::string name;
  std::string language = "cpp";                 ///< cpp, c, rust
  std::optional<std::filesystem::path> folder;  ///< default: the name
};
struct PluginsTry {
  std::filesystem::path file;
  std::string flow;            ///< "": the only one
  std::string input = "null";  ///< JSON, @FILE, or - for stdin
  std::optional<std::string> expect;
  std::vector<std::string> signals;  ///< NAME=JSON, or NAME for null
  bool json = false;
};
struct PluginsDiff {
  std::filesystem::path before, after;
  bool json = false;
};
struct PluginsReplay {
  std::string run;
  std::filesystem::path with;
  bool json = false;
};
struct PluginsAllow {
  std::vector<std::filesystem::path> files;
  bool json = false;
};
struct PluginsList {
  bool json = false;
};
struct FlowsList {
  bool json = false;
};
struct FlowsShow {
  std::string name;
  bool json = false;
  bool dot = false;
};
struct FlowsVersions {
  std::string slug;
  bool json = false;
};
struct FlowsAdopt {
  std::string slug;
  std::optional<int> from;
  std::optional<int> to;
  bool json = false;
};
struct FlowsPause {
  std::string slug;
};
struct FlowsResume {
  std::string slug;
};
struct Migrate {};
struct Doctor {};
struct Serve {
  bool rescan = false;  ///< verdicts of earlier scans are not believed
};
struct Start {
  std::string flow;
  std::string input = "null";  ///< JSON, @FILE, or - for stdin
  std::optional<std::string> key;
  std::optional<std::string> delay;
  std::optional<std::string> at;
  int priority = 0;
  std::vector<std::string> tags;
  std::optional<int> version;
  bool wait = false;
  bool json = false;
};
struct RunsList {
  std::optional<std::string> flow;
  std::optional<std::string> status;
  std::optional<std::string> tag;
  std::optional<std::string> since, until;   ///< a time, or a duration back from now
  std::optional<std::string> input, output;  ///< JSON, @FILE, or - for stdin: what theirs contains
  std::int64_t limit = 20;
  bool json = false;
};
struct RunsShow {
  std::string id;
  bool json = false;
};
struct RunsWatch {
  std::string id;
};
struct RunsCancel {
  std::vector<std::string> ids;
  std::string reason = "cancelled by command";
  bool json = false;
};
struct RunsRetry {
  std::vector<std::string> ids;
  bool json = false;
};
struct RunsSignal {
  std::string id, name;
  std::string payload = "null";  ///< JSON, @FILE, or - for stdin
  bool json = false;
};
struct WorkersList {
  std::int64_t limit = 20;
  bool json = false;
};

struct SchedulesList {
  bool json = false;
};
struct SchedulesAdd {
  std::string name, flow, cron;
  std::string input = "null";  ///< JSON, @FILE, or - for stdin
  std::string time_zone = "UTC";
  int priority = 0;
  std::vector<std::string> tags;
  std::string missed = "run";
  bool paused = false;
  bool json = false;
};
struct SchedulesRemove {
  std::string name;
};
struct SchedulesPause {
  std::string name;
};
struct SchedulesResume {
  std::string name;
};
struct Prune {
  std::optional<std::string> older_than;  ///< default: what flows.yaml says
  std::optional<std::string> flow;
  bool dry_run = false;
  bool json = false;
};

using Command =
    std::variant<Init, PluginsLint, PluginsNew, PluginsTry, PluginsDiff, PluginsReplay,
                 PluginsAllow, PluginsList, FlowsList, FlowsShow, FlowsVersions, FlowsAdopt,
                 FlowsPause, FlowsResume, Migrate, Doctor, Serve, Start, RunsList, RunsShow,
                 RunsWatch, RunsCancel, RunsRetry, RunsSignal, WorkersList, SchedulesList,
                 SchedulesAdd, SchedulesRemove, SchedulesPause, SchedulesResume, Prune>;

ExitCode run(const Init&, const Globals&, Console&);
ExitCode run(const PluginsLint&, const Globals&, Console&);
ExitCode run(const PluginsNew&, const Globals&, Console&);
ExitCode run(const PluginsTry&, const Globals&, Console&);
ExitCode run(const PluginsDiff&, const Globals&, Console&);
ExitCode run(const PluginsReplay&, const Globals&, Console&);
ExitCode run(const PluginsAllow&, const Globals&, Console&);
ExitCode run(const PluginsList&, const Globals&, Console&);
ExitCode run(const FlowsList&, const Globals&, Console&);
ExitCode run(const FlowsShow&, const Globals&, Console&);
ExitCode run(const FlowsVersions&, const Globals&, Console&);
ExitCode run(const FlowsAdopt&, const Globals&, Console&);
ExitCode run(const FlowsPause&, const Globals&, Console&);
ExitCode run(const FlowsResume&, const Globals&, Console&);
ExitCode run(const Migrate&, const Globals&, Console&);
ExitCode run(const Doctor&, const Globals&, Console&);
ExitCode run(const Serve&, const Globals&, Console&);
ExitCode run(const Start&, const Globals&, Console&);
ExitCode run(const RunsList&, const Globals&, Console&);
ExitCode run(const RunsShow&, const Globals&, Console&);
ExitCode run(const RunsWatch&, const Globals&, Console&);
ExitCode run(const RunsCancel&, const Globals&, Console&);
ExitCode run(const RunsRetry&, const Globals&, Console&);
ExitCode run(const RunsSignal&, const Globals&, Console&);
ExitCode run(const WorkersList&, const Globals&, Console&);
ExitCode run(const SchedulesList&, const Globals&, Console&);
ExitCode run(const SchedulesAdd&, const Globals&, Console&);
ExitCode run(const SchedulesRemove&, const Globals&, Console&);
ExitCode run(const SchedulesPause&, const Globals&, Console&);
ExitCode run(const SchedulesResume&, const Globals&, Console&);
ExitCode run(const Prune&, const Globals&, Console&);

}  // namespace weir::cli
