#pragma once
#include <filesystem>
#include <fstream>
#include <string_view>

#include <sys/stat.h>

#include "support/temporary_folder.hpp"

namespace weir::testing {

/// A folder as a project has one: others may pass through, so that as root the server's user can.
class ProjectFolder {
 public:
  ProjectFolder() { chmod(folder_.path().c_str(), 0755); }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path weir() const { return path() / ".weir"; }
  std::filesystem::path data() const { return weir() / "postgres/data"; }

  /// A folder with the named shell scripts as programs.
  std::filesystem::path programs(std::string_view initdb, std::string_view postgres) const {
    const auto script = [&](const char* name, std::string_view body) {
      const auto file = folder_.write(std::filesystem::path("bin") / name,
                                      "#!/bin/sh\n" + std::string(body) + "\n");
      chmod(file.c_str(), 0755);
    };
    script("initdb", initdb);
    script("postgres", postgres);
    return path() / "bin";
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace weir::testing
