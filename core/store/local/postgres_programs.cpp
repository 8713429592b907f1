#include "store/local/postgres_programs.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "store/local/folder_error.hpp"

namespace weir::local {
namespace fs = std::filesystem;
namespace {

bool complete(const fs::path& folder) {
  return access((folder / "initdb").c_str(), X_OK) == 0 &&
         access((folder / "postgres").c_str(), X_OK) == 0;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Debian keeps its versions in /usr/lib/postgresql/15/bin, Red Hat in /usr/pgsql-15/bin.
std::vector<PostgresPrograms> packaged() {
  std::vector<PostgresPrograms> found;
  const auto search = [&](const fs::path& parent, std::string_view prefix) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(parent, unreadable)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(prefix) || !complete(entry.path() / "bin")) continue;
      if (const auto major = number(std::string_view(name).substr(prefix.size()))) {
        found.push_back({.folder = entry.path() / "bin", .major = major});
      }
    }
  };
  search("/usr/lib/postgresql", "");
  search("/usr", "pgsql-");
  std::ranges::sort(found, std::ranges::greater{}, &PostgresPrograms::major);
  return found;
}

std::optional<PostgresPrograms> on_path() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (!folder.empty() && complete(folder)) return PostgresPrograms{.folder = folder, .major = {}};
  }
  return std::nullopt;
}

std::unexpected<Error> missing(std::string message, std::optional<int> wanted) {
  return std::unexpected(unavailable("postgres_missing", std::move(message),
                                     wanted ? fmt::format("apt-get install postgresql-{}", *wanted)
                                            : std::string("apt-get install postgresql")));
}

}  // namespace

Result<PostgresPrograms> find_programs(const fs::path& chosen, std::optional<int> wanted) {
  const char* named = std::getenv("WEIR_POSTGRES_BIN");
  if (const fs::path only = !chosen.empty() ? chosen : fs::path(named == nullptr ? "" : named);
      !only.empty()) {
    if (complete(only)) return PostgresPrograms{.folder = only, .major = {}};
    return missing(
        fmt::format("there are no PostgreSQL programs (initdb, postgres) in \"{}\"", only.string()),
        wanted);
  }
  const std::vector<PostgresPrograms> installed = packaged();
  for (const PostgresPrograms& one : installed) {
    if (wanted && one.major != wanted) continue;
    if (*one.major >= PostgresPrograms::major_min) return one;
    return std::unexpected(
        unavailable("postgres_too_old",
                    fmt::format("the newest PostgreSQL here is version {}, and Weir needs {}",
                                *one.major, PostgresPrograms::major_min),
                    "install a newer one"));
  }
  if (!installed.empty()) {
    return missing(
        fmt::format("this folder's database was made by PostgreSQL {}, which is not installed",
                    *wanted),
        wanted);
  }
  if (const auto found = on_path()) return *found;
  return missing("no PostgreSQL is installed here", wanted);
}

}  // namespace weir::local
