#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "config/config.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t file_bytes_max = 1024 * 1024;
constexpr std::string_view usual_name = "flows.yaml";

std::unexpected<Faults> refuse(ErrorCode code, const char* kind, std::string message,
                               std::string hint) {
  return std::unexpected(
      Faults{{.code = code, .kind = kind, .message = std::move(message), .hint = std::move(hint)}});
}

std::expected<std::string, Faults> read_text(const fs::path& file) {
  std::error_code ec;
  const fs::file_status status = fs::status(file, ec);
  if (status.type() == fs::file_type::not_found)
    return refuse(ErrorCode::not_found, "no_config", fmt::format("{}: no such file", file.string()),
                  "name another with --config, or make one with \"weir init\"");
  if (fs::is_directory(status))
    return refuse(ErrorCode::not_found, "no_config", fmt::format("{}: is a folder", file.string()),
                  fmt::format("name the file in it: {}", (file / usual_name).string()));
  const auto unreadable = [&](std::string_view why) {
    return refuse(ErrorCode::unavailable, "unreadable_config",
                  fmt::format("{}: {}", file.string(), why),
                  "it must be a readable file of at most 1 MiB");
  };
  if (!fs::is_regular_file(status)) return unreadable(ec ? ec.message() : "not a regular file");
  if (fs::file_size(file, ec) > file_bytes_max) return unreadable(ec ? ec.message() : "too large");
  std::ifstream in(file, std::ios::binary);
  if (!in) return unreadable(std::strerror(errno));
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return unreadable("reading it failed");
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte order mark has no meaning here
  return text;
}

}  // namespace

Config default_config(const fs::path& folder) {
  Config config;
  config.folder = folder;
  config.plugins.folders = {{folder / "plugins", {}}};
  return config;
}

std::expected<Config, Faults> load_config(const std::optional<fs::path>& named) {
  std::error_code ec;
  const fs::path here = fs::current_path(ec);
  if (ec)
    return refuse(ErrorCode::unavailable, "unreadable_config",
                  fmt::format("the current folder cannot be read: {}", ec.message()),
                  "change to a folder that exists");
  if (!named && !fs::exists(here / usual_name, ec)) return default_config(here);
  const fs::path file = named.value_or(usual_name);
  auto text = read_text(file);
  if (!text) return std::unexpected(std::move(text.error()));
  const fs::path folder = (here / file).lexically_normal().parent_path();
  return parse_config(SourceText(file.string(), *std::move(text)), folder);
}

}  // namespace weir
