#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "integration/zoo/zoo.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"
#include "support/test_database.hpp"

namespace weir::testing {

/// A zoo that is served, on a database of its own.
class ServedZoo {
 public:
  explicit ServedZoo(bool isolated) {
    std::string hosting;
    if (isolated) {
      for (const auto& [path, kind] : zoo.expected())
        if (kind.empty())
          hosting += fmt::format("    {}: {{mode: isolated}}\n",
                                 std::filesystem::path(path).stem().string());
      for (const std::string name : {"tail_cut", "stripped"})  // their files have other names
        hosting += fmt::format("    {}: {{mode: isolated}}\n", name);
    }
    begin(isolated ? "  hosting:\n" + hosting : "");
  }

  /// With the 20 good plugins and these actors, in process.
  explicit ServedZoo(const std::vector<std::string>& actors) : zoo(actors) { begin(""); }

  std::string log() const { return bytes_of(zoo.path() / "serve.log"); }

  /// What the database shows of every plugin file: its kind, or "" when it is live.
  std::map<std::string, std::string> shown() {
    std::map<std::string, std::string> all;
    for (const std::string& row :
         admin().run("select path || '|' || case when state in ('live', "
                     "'former') then '' else coalesce(kind, state) end "
                     "from weir.plugins where state <> 'former' order by state = 'refused'")) {
      const std::size_t bar = row.rfind('|');
      all[row.substr(0, bar)] = row.substr(bar + 1);
    }
    return all;
  }

  std::string start(const std::string& flow) {
    return admin().run(fmt::format("select run_id from weir.start('{}', 'null')", flow)).at(0);
  }
  std::string status(const std::string& run) {
    return admin().run(fmt::format("select status from weir.runs where run_id = '{}'", run)).at(0);
  }
  std::string last_code(const std::string& run) {
    return admin()
        .run(fmt::format("select coalesce(error_code, '') from weir.attempts where run_id = '{}' "
                         "order by attempt desc limit 1",
                         run))
        .at(0);
  }
  bool ends(const std::string& run) {
    return eventually([&] {
      const std::string now = status(run);
      return now == "completed" || now == "failed";
    });
  }
  std::string output(const std::string& run) {
    return admin()
        .run(fmt::format("select output ->> 'act' from weir.runs where run_id = '{}'", run))
        .at(0);
  }

  AdminSession& admin() {
    if (!admin_) admin_.emplace(database.url());
    return *admin_;
  }

  /// Processes that work in this zoo's folder: the serve process and all it started.
  std::set<pid_t> processes() const {
    std::set<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::error_code gone;
      if (std::filesystem::read_symlink(entry.path() / "cwd", gone) == zoo.path())
        found.insert(std::stoi(name));
    }
    return found;
  }

  Zoo zoo;
  TestDatabase database;
  std::optional<Running> serve;

 private:
  void begin(const std::string& hosting) {
    std::ofstream(zoo.path() / "flows.yaml") << fmt::format(
        "database: \"{}\"\nplugins:\n  folders: [plugins, open]\n  rescan: 500ms\n"
        "  max_crashes: 100\n{}worker: {{slots: 16}}\n",
        database.url(), hosting);
    const Ran migrated = run_program(WEIR_PROGRAM, {"migrate"}, {.folder = zoo.path()});
    REQUIRE_MESSAGE(migrated.code == 0, migrated.err);
    serve.emplace(WEIR_PROGRAM, std::vector<std::string>{"serve"}, zoo.path(),
                  zoo.path() / "serve.log");
  }

  std::optional<AdminSession> admin_;
};

/// Names of the staged copies that any of these processes has mapped.
inline std::set<std::string> staged_copies_of(const std::set<pid_t>& processes) {
  std::set<std::string> found;
  for (const pid_t process : processes) {
    std::ifstream maps(fmt::format("/proc/{}/maps", process));
    for (std::string line; std::getline(maps, line);)
      if (const std::size_t at = line.find("weir-stage-"); at != std::string::npos)
        found.insert(line.substr(line.rfind('/') + 1, 64));
  }
  return found;
}

}  // namespace weir::testing
