#include "plugin/verdict_cache.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "plugin/host_build.hpp"
#include "plugin/trust.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "weir verdicts 1\n";
constexpr std::string_view sum_word = "sum ";
constexpr std::size_t digits = 64;  // of a sha256
constexpr std::int64_t hour = 3600, minute = 60, day = 24 * hour;

// How long a refusal is valid, in seconds; 0: it is not kept.
std::int64_t lifetime_of(PluginFault fault) {
  switch (fault) {
    case PluginFault::stage_failed:
    case PluginFault::noexec_mount:
    case PluginFault::unreadable:
      return 0;
    case PluginFault::scan_timeout:
    case PluginFault::load_failed:
    case PluginFault::missing_dependency:
    case PluginFault::undefined_symbol:
      return minute;
    default:
      return hour;
  }
}

Error unwritable(const fs::path& file, std::string_view what, int error) {
  return {.code = ErrorCode::unavailable,
          .kind = "verdicts_unwritable",
          .message = fmt::format("{}: {}: {}", file.native(), what,
                                 std::generic_category().message(error)),
          .hint = "without it every plugin is scanned again at the next start"};
}

Error unread(const fs::path& file, std::string_view why) {
  return {.code = ErrorCode::corrupt,
          .kind = "verdicts_ignored",
          .message =
              fmt::format("{}: the verdicts on plugins in it are ignored: {}", file.native(), why),
          .hint = "every plugin is scanned again, and the file is rewritten"};
}

std::optional<std::int64_t> take_number(std::string_view& line) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (failed != std::errc{}) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (!line.starts_with(' ')) return std::nullopt;
  line.remove_prefix(1);
  return number;
}

std::string refusal_json(const PluginError& refused) {
  return std::string(
      Json::array(std::vector<Json>{Json::string(name(refused.kind)),
                                    Json::string(name(refused.stage)), Json::string(refused.detail),
                                    Json::string(refused.hint)})
          .text());
}

std::optional<PluginError> read_refusal(std::string_view text) {
  boost::system::error_code bad;
  const boost::json::value json = boost::json::parse({text.data(), text.size()}, bad);
  const boost::json::array* const array = bad ? nullptr : json.if_array();
  if (array == nullptr || array->size() != 4) return std::nullopt;
  std::array<std::string, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const boost::json::string* const word = (*array)[i].if_string();
    if (word == nullptr) return std::nullopt;
    words[i].assign(word->data(), word->size());
  }
  const auto kind = fault_named(words[0]);
  const auto stage = stage_named(words[1]);
  if (!kind || !stage) return std::nullopt;
  return refusal(*stage, *kind, std::move(words[2]), words[3]).error();
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

VerdictCache::VerdictCache(fs::path file, Clock clock)
    : file_(fs::absolute(std::move(file))), clock_(std::move(clock)) {
  auto entries = read();
  if (entries)
    entries_ = *std::move(entries);
  else
    problem_ = std::move(entries.error());
}

std::string VerdictCache::key_of(const PluginInspection& plugin, DependencyState& dependencies) {
  return sha256_hex(fmt::format("{}\n{}\n{}", plugin.file.sha256, host_build(),
                                dependencies.of(plugin.needed, plugin.runpath)));
}

std::int64_t VerdictCache::now() const {
  const auto time =
      clock_ ? std::chrono::floor<std::chrono::seconds>(clock_())
             : std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return time.time_since_epoch().count();
}

std::optional<VerdictCache::Verdict> VerdictCache::find(const std::string& key,
                                                        const PluginFile& plugin) {
  const std::int64_t time = now();
  const std::scoped_lock lock(mutex_);
  const auto known = entries_.find(key);
  if (known == entries_.end()) return std::nullopt;
  Entry& entry = known->second;
  if (entry.until != 0 && (entry.until <= time || entry.until > time + hour)) return std::nullopt;
  if (entry.used + day < time) {  // precise enough to know what is still used
    entry.used = time;
    changed_ = true;
  }
  Verdict verdict{.refused = entry.refused};
  if (verdict.refused) {
    verdict.refused->path = plugin.path;
    verdict.refused->sha256 = plugin.sha256;
  }
  return verdict;
}

void VerdictCache::put(const std::string& key, const std::optional<PluginError>& refused) {
  const std::int64_t time = now();
  const std::int64_t lifetime = refused ? lifetime_of(refused->kind) : 0;
  const std::scoped_lock lock(mutex_);
  if (refused && lifetime == 0) return;
  entries_[key] = {.used = time, .until = refused ? time + lifetime : 0, .refused = refused};
  changed_ = true;
}

void VerdictCache::forget() {
  const std::scoped_lock lock(mutex_);
  entries_.clear();
  forgot_ = true;
  changed_ = true;
}

std::optional<Error> VerdictCache::problem() const {
  const std::scoped_lock lock(mutex_);
  return problem_;
}

Result<void> VerdictCache::save() {
  const std::scoped_lock lock(mutex_);
  if (!changed_) return {};
  const auto failed = [&](Error error) -> Result<void> {
    problem_ = error;
    return std::unexpected(std::move(error));
  };
  std::error_code not_made;
  fs::create_directories(file_.parent_path(), not_made);
  // Held until the new file is in its place. A file of its own, because the other one is replaced.
  const FileDescriptor lock_file(::open((file_.native() + ".lock").c_str(),
                                        O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                                        S_IRUSR | S_IWUSR));
  if (!lock_file || ::flock(lock_file.fd(), LOCK_EX) != 0)
    return failed(unwritable(file_, "can't be locked", errno));
  Entries all = entries_;
  if (!forgot_)
    if (auto others = read())
      for (auto& [key, entry] : *others) {
        const auto [mine, is_new] = all.try_emplace(key, entry);
        if (!is_new) mine->second.used = std::max(mine->second.used, entry.used);
      }
  if (auto done = write(all); !done) return failed(std::move(done.error()));
  changed_ = false;
  forgot_ = false;
  return {};
}

Result<VerdictCache::Entries> VerdictCache::read() const {
  TrustedFiles files;
  const auto opened = files.read(file_, {.bytes_max = bytes_max, .sha256_allow = {}});
  if (!opened) {
    if (opened.error().kind == PluginFault::not_found) return Entries{};
    return std::unexpected(unread(file_, opened.error().detail));
  }
  auto entries = parsed(opened->bytes);
  if (!entries) return std::unexpected(unread(file_, "it is damaged"));
  return *std::move(entries);
}

std::string VerdictCache::written(const Entries& entries) {
  std::string text(first_line);
  for (const auto& [key, entry] : entries)
    text += fmt::format("{} {} {} {}\n", key, entry.used, entry.until,
                        entry.refused ? refusal_json(*entry.refused) : "sound");
  return fmt::format("{}{}{}\n", text, sum_word, sha256_hex(text));
}

std::optional<VerdictCache::Entries> VerdictCache::parsed(std::string_view text) {
  constexpr std::size_t last_line = sum_word.size() + digits + 1;
  if (!text.starts_with(first_line) || text.size() < first_line.size() + last_line)
    return std::nullopt;
  const std::string_view sum = text.substr(text.size() - last_line);
  text.remove_suffix(last_line);
  if (sum != fmt::format("{}{}\n", sum_word, sha256_hex(text))) return std::nullopt;
  text.remove_prefix(first_line.size());
  Entries entries;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || end <= digits) return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::string_view key = line.substr(0, digits);
    line.remove_prefix(digits + 1);
    const auto used = take_number(line), until = take_number(line);
    if (!used || !until) return std::nullopt;
    Entry entry{.used = *used, .until = *until};
    if (line != "sound" && !(entry.refused = read_refusal(line))) return std::nullopt;
    entries.emplace_hint(entries.end(), key, std::move(entry));
  }
  return entries;
}

Result<void> VerdictCache::write(const Entries& entries) const {
  Entries kept;
  const std::int64_t time = now();
  std::vector<std::int64_t> uses;
  for (const auto& [key, entry] : entries)
    if (entry.until == 0 || entry.until > time) {
      kept.emplace_hint(kept.end(), key, entry);
      uses.push_back(entry.used);
    }
  if (kept.size() > entries_max) {
    std::ranges::sort(uses, std::greater{});
    const std::int64_t oldest = uses[entries_max - 1];
    std::erase_if(kept, [&](const auto& entry) { return entry.second.used < oldest; });
    while (kept.size() > entries_max)  // any of those used in that second
      kept.erase(std::ranges::find_if(
          kept, [&](const auto& entry) { return entry.second.used == oldest; }));
  }
  std::string unfinished = file_.native() + "-XXXXXX";
  const FileDescriptor out(::mkostemp(unfinished.data(), O_CLOEXEC));
  if (!out) return std::unexpected(unwritable(file_, "can't be written", errno));
  if (!write_all(out.fd(), written(kept)) || ::rename(unfinished.c_str(), file_.c_str()) != 0) {
    const int error = errno;
    ::unlink(unfinished.c_str());
    return std::unexpected(unwritable(file_, "can't be written", error));
  }
  return {};
}

}  // namespace weir
