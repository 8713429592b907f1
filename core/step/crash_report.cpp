#include "step/crash_report.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "base/sha256.hpp"
#include "plugin/code_symbols.hpp"
#include "plugin/file_mapping.hpp"
#include "plugin/inspection.hpp"
#include "plugin/trust.hpp"
#include "step/library_limit.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;
using flight::CrashRecord;
using flight::Frame;
using flight::SeatRecord;

template <std::size_t Size>
std::string_view text(const std::array<char, Size>& chars) {
  const std::string_view all(chars.data(), Size);
  return all.substr(0, all.find('\0'));
}

std::string_view sha256_of(const SeatRecord& seat) {
  const std::string_view sha256 = text(seat.sha256);
  return is_sha256(sha256) ? sha256 : std::string_view();
}

// The sha256 of the plugin whose private copy it is; empty when it is another file.
std::string sha256_of(const fs::path& copy, const fs::path& stage) {
  if (!copy.native().starts_with(stage.native() + "/") || copy.native().contains("/../")) return {};
  const std::string stem = copy.stem().string();
  return is_sha256(stem) ? stem : std::string();
}

// What no slot writes: the process that crashed has written over its record.
bool is_wild(const SeatRecord& seat) {
  constexpr int attempts_max = std::numeric_limits<std::int16_t>::max();
  constexpr auto tasks_max = static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
  return seat.attempt < 1 || seat.attempt > attempts_max ||
         seat.step > static_cast<std::uint32_t>(attempts_max) || seat.index > tasks_max ||
         seat.worker < 1 || seat.run < 1;
}

// Whether the frame names one of the record's files: the crashed process could write anything.
bool has_file(const Frame& frame) {
  return frame.file >= 0 && static_cast<std::size_t>(frame.file) < CrashRecord::files_max;
}

// The files that the crashed process had mapped, each read when it is first needed: private copies of
// plugins, and what this process has mapped as well. Whatever else the record names is not opened.
class Copies {
 public:
  Copies(const CrashRecord& crash, const fs::path& stage) : crash_(crash), stage_(stage) {}

  fs::path file(const Frame& frame) const {
    return text(crash_.files[static_cast<std::size_t>(frame.file)]);
  }

  // The sha256 of the plugin whose copy the frame is in; empty when it is not in a plugin.
  std::string sha256(const Frame& frame) const {
    return has_file(frame) ? sha256_of(file(frame), stage_) : std::string();
  }

  const std::string& bytes(const Frame& frame) {
    auto [found, is_new] = bytes_.try_emplace(frame.file);
    if (is_new && (!sha256(frame).empty() || is_own(file(frame)))) {
      found->second = file_bytes(file(frame), bytes_left_);
      bytes_left_ -= found->second.size();
    }
    return found->second;
  }

 private:
  bool is_own(const fs::path& file) {
    if (!own_) own_ = file_mappings().value_or(std::vector<FileMapping>());
    return std::ranges::find(*own_, file.native(), &FileMapping::path) != own_->end();
  }

  const CrashRecord& crash_;
  const fs::path& stage_;
  std::size_t bytes_left_ = plugin_bytes_max;
  std::map<std::int32_t, std::string> bytes_;
  std::optional<std::vector<FileMapping>> own_;  // of this process
};

struct PluginNames {
  std::string name;  // "shop 1.4.0"
  std::string file;  // "shop.so"
};

// The plugin that was loaded or unloaded when the process ended.
struct RunningLibrary {
  std::int32_t thread;
  bool is_loaded;  // else unloaded
  fs::path copy;
  std::string sha256;
};

std::optional<RunningLibrary> running_library(const flight::Page& page, const fs::path& stage) {
  const flight::LibraryRecord& record = page.library;
  RunningLibrary library{
      .thread = record.thread.load(std::memory_order_acquire),
      .is_loaded = record.code == static_cast<std::int32_t>(LibraryCode::constructors),
      .copy = text(record.copy),
      .sha256 = sha256_of(fs::path(text(record.copy)), stage)};
  if (library.thread == 0 || library.sha256.empty()) return std::nullopt;
  return library;
}

std::string cause_text(const CrashRecord& crash) {
  if (crash.signal == 0) return fmt::format("ended the process with status {}", crash.code);
  std::string cause = "crashed: " + signal_name(crash.signal);
  const bool at_address = crash.code > 0 && (crash.signal == SIGSEGV || crash.signal == SIGBUS);
  if (!at_address) return cause;
  cause += fmt::format(" at address {:#x}", crash.address);
  if (crash.address < 4096) cause += " (null pointer)";
  if (crash.address == crash.pc) cause += " (a jump to an address without code)";
  return cause;
}

std::string frame_text(const Frame& frame, Copies& copies, const std::string& file) {
  const auto place = code_place(copies.bytes(frame), frame.offset);
  return fmt::format("{}!{}", file, place ? to_string(*place) : fmt::format("{:#x}", frame.offset));
}

PluginNames plugin_names(const std::string& sha256, std::string_view path,
                         const std::string& bytes) {
  PluginNames names{.name = fs::path(path).stem().string(),
                    .file = fs::path(path).filename().string()};
  const auto inspection = inspect_bytes({.path = path, .bytes = bytes, .sha256 = sha256});
  if (inspection) {
    names.name = inspection->manifest.plugin;
    if (!inspection->manifest.version.empty()) names.name += " " + inspection->manifest.version;
    if (names.file.empty()) names.file = inspection->manifest.plugin + ".so";
  }
  return names;
}

std::string blamed_plugin(const std::string& sha256, const std::string& name) {
  if (sha256.empty()) return "code of the program itself";
  return fmt::format("plugin {}{}(sha256 {})", name, name.empty() ? "" : " ", short_hash(sha256));
}

std::string to_string(const RunningLibrary& library) {
  const PluginNames names =
      plugin_names(library.sha256, {}, file_bytes(library.copy, plugin_bytes_max));
  return fmt::format("{}: {} it", blamed_plugin(library.sha256, names.name),
                     library.is_loaded ? "loading" : "unloading");
}

bool from_outside(const CrashRecord& crash, std::int32_t pid) {
  return crash.signal != 0 && crash.code <= 0 && crash.sender != 0 && crash.sender != pid;
}

// Whether the record tells of this end. After a signal any end may follow: the handler that was installed before ours
// runs, and a process that is stuck is killed.
bool fits(const CrashRecord& crash, const ProcessEnd& end) {
  constexpr int status_bits = 0xFF;
  return crash.signal != 0 || (!end.by_signal && end.number == (crash.code & status_bits));
}

// The slot inside a call that the record names.
const SeatRecord* recorded_seat(const FlightRecorder& recorder) {
  const std::span<const SeatRecord> seats = recorder.seats();
  const std::int32_t number = recorder.page().crash.seat;
  if (number < 0 || static_cast<std::size_t>(number) >= seats.size()) return nullptr;
  const SeatRecord& seat = seats[static_cast<std::size_t>(number)];
  const bool in_call = seat.state.load(std::memory_order_acquire) == SeatRecord::in_call;
  return in_call && !is_wild(seat) ? &seat : nullptr;
}

// What the crashed process has recorded itself.
CrashReport recorded_crash(const FlightRecorder& recorder, const ProcessEnd& end,
                           const fs::path& stage, const std::optional<RunningLibrary>& running) {
  const flight::Page& page = recorder.page();
  const CrashRecord& crash = page.crash;
  CrashReport report;
  if (crash.thread.load(std::memory_order_acquire) == 0 || from_outside(crash, page.pid) ||
      !fits(crash, end)) {
    report.text = fmt::format("the worker process ended by {}", to_string(end));
    return report;
  }
  Copies copies(crash, stage);
  std::string path;
  const std::span<const SeatRecord> seats = recorder.seats();
  report.seat = recorded_seat(recorder);
  if (report.seat != nullptr) {
    report.sha256 = sha256_of(*report.seat);
    path = text(report.seat->path);
  }
  const RunningLibrary* const library =
      !report.seat && running && running->thread == crash.thread.load(std::memory_order_relaxed)
          ? &*running
          : nullptr;
  if (library != nullptr) {
    report.sha256 = library->sha256;
    report.while_loading = library->is_loaded;
  }
  const Frame* innermost = nullptr;  // of the plugin to blame
  const std::size_t count = std::min<std::size_t>(crash.frame_count, CrashRecord::frames_max);
  for (std::size_t i = 0; i < count && innermost == nullptr; ++i) {
    const std::string sha256 = copies.sha256(crash.frames[i]);
    if (sha256.empty() || ((report.seat || library) && sha256 != report.sha256)) continue;
    innermost = &crash.frames[i];
    report.sha256 = sha256;
  }
  for (const SeatRecord& seat : seats)  // its file's name, if known
    if (path.empty() && text(seat.sha256) == report.sha256) path = text(seat.path);

  const PluginNames names = innermost != nullptr
                                ? plugin_names(report.sha256, path, copies.bytes(*innermost))
                                : PluginNames{.name = fs::path(path).stem().string(), .file = {}};
  if (library != nullptr)
    report.text = to_string(*library);
  else if (report.seat)
    report.text = fmt::format("{}: step {}.{}", blamed_plugin(report.sha256, names.name),
                              text(report.seat->flow), text(report.seat->step_slug));
  else
    report.text =
        fmt::format("{}: a thread of its own",
                    report.sha256.empty() ? "no plugin" : blamed_plugin(report.sha256, names.name));
  const bool too_long =
      (library != nullptr || report.seat) && crash.signal == SIGABRT && crash.code == SI_TIMER;
  report.text += too_long ? fmt::format(" takes longer than {} s", LibraryLimit::patience.count())
                          : " " + cause_text(crash);
  if (innermost == nullptr) {  // code of ours, or of a library
    for (std::size_t i = 0; i < std::min(count, CrashReport::frames_max); ++i)
      if (has_file(crash.frames[i]))
        report.text += "\n  " + frame_text(crash.frames[i], copies,
                                           copies.file(crash.frames[i]).filename().string());
    return report;
  }
  if (const auto place = code_place(copies.bytes(*innermost), innermost->offset))
    report.text += " in " + to_string(*place);
  std::size_t shown = 0;
  for (std::size_t i = 0; i < count && shown < CrashReport::frames_max; ++i)
    if (copies.sha256(crash.frames[i]) == report.sha256) {
      report.text += "\n  " + frame_text(crash.frames[i], copies, names.file);
      ++shown;
    }
  return report;
}

void blame_alone(CrashReport& report, const SeatRecord& seat, const std::string& cause) {
  report.sha256 = sha256_of(seat);
  report.text = fmt::format("{}: step {}.{} ended the process that ran nothing else: {}",
                            blamed_plugin(report.sha256, fs::path(text(seat.path)).stem().string()),
                            text(seat.flow), text(seat.step_slug), cause);
}

CrashReport report_of(const FlightRecorder& recorder, const ProcessEnd& end, const fs::path& stage,
                      bool is_trial) {
  const auto library = running_library(recorder.page(), stage);
  CrashReport report = recorded_crash(recorder, end, stage, library);
  if (report.seat != nullptr) return report;
  for (const SeatRecord& seat : recorder.seats())
    if (seat.state.load(std::memory_order_acquire) == SeatRecord::in_call && !is_wild(seat) &&
        (report.sha256.empty() || text(seat.sha256) == report.sha256))
      report.suspects.push_back(&seat);
  const bool is_recorded = recorder.page().crash.thread.load(std::memory_order_acquire) != 0;
  if (library && !is_recorded && report.suspects.empty()) {
    report.sha256 = library->sha256;
    report.while_loading = library->is_loaded;
    report.text = fmt::format("{} ended the process: {}", to_string(*library), to_string(end));
  } else if (library && !is_recorded) {
    report.text += fmt::format(", in the middle of this: {}", to_string(*library));
  } else if (is_trial && report.suspects.size() == 1) {
    report.seat = report.suspects.front();
    report.suspects.clear();
    blame_alone(report, *report.seat, is_recorded ? report.text : to_string(end));
  }
  return report;
}

}  // namespace

CrashReport crash_report(const FlightRecorder& recorder, const ProcessEnd& end,
                         const fs::path& stage, bool is_trial) {
  auto copy = recorder.copy();
  if (!copy) {
    CrashReport report;
    report.text =
        fmt::format("the worker process ended by {}; {}", to_string(end), copy.error().message);
    return report;
  }
  const auto record = std::make_shared<const FlightRecorder>(*std::move(copy));
  CrashReport report = report_of(*record, end, stage, is_trial);
  report.text = printable(report.text, Newlines::kept);
  report.record = record;
  return report;
}

}  // namespace weir
