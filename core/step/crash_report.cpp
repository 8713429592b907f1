#include "step/crash_report.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "base/sha256.hpp"
#include "plugin/code_symbols.hpp"
#include "plugin/inspection.hpp"
#include "plugin/trust.hpp"

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

// The private copies that the crashed process had mapped, each read when it is first needed.
class Copies {
 public:
  Copies(const CrashRecord& crash, const fs::path& stage) : crash_(crash), stage_(stage) {}

  fs::path file(const Frame& frame) const {
    return text(crash_.files[static_cast<std::size_t>(frame.file)]);
  }

  // The sha256 of the plugin whose copy the frame is in; empty when it is not in a plugin.
  std::string sha256(const Frame& frame) const {
    if (!has_file(frame)) return {};
    const fs::path path = file(frame);
    if (!path.native().starts_with(stage_.native() + "/")) return {};
    const std::string stem = path.stem().string();
    return stem.size() == 64 ? stem : std::string();
  }

  const std::string& bytes(const Frame& frame) {
    auto [found, is_new] = bytes_.try_emplace(frame.file);
    if (is_new) found->second = file_bytes(file(frame), plugin_bytes_max);
    return found->second;
  }

 private:
  const CrashRecord& crash_;
  const fs::path& stage_;
  std::map<std::int32_t, std::string> bytes_;
};

struct PluginNames {
  std::string name;  // "shop 1.4.0"
  std::string file;  // "shop.so"
};

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
  return fmt::format("plugin {} (sha256 {})", name, short_hash(sha256));
}

bool from_outside(const CrashRecord& crash, std::int32_t pid) {
  return crash.signal != 0 && crash.code <= 0 && crash.sender != 0 && crash.sender != pid;
}

// What the crashed process has recorded itself.
CrashReport recorded_crash(const FlightRecorder& recorder, const ProcessEnd& end,
                           const fs::path& stage) {
  const flight::Page& page = recorder.page();
  const CrashRecord& crash = page.crash;
  CrashReport report;
  if (crash.thread.load(std::memory_order_acquire) == 0 || from_outside(crash, page.pid)) {
    report.text = fmt::format("the worker process ended by {}", to_string(end));
    return report;
  }
  Copies copies(crash, stage);
  std::string path;
  const std::span<const SeatRecord> seats = recorder.seats();
  if (crash.seat >= 0 && static_cast<std::size_t>(crash.seat) < seats.size() &&
      !is_wild(seats[static_cast<std::size_t>(crash.seat)])) {
    const SeatRecord& seat = seats[static_cast<std::size_t>(crash.seat)];
    report.seat = &seat;
    report.sha256 = text(seat.sha256);
    path = text(seat.path);
  }
  const Frame* innermost = nullptr;  // of the plugin to blame
  const std::size_t count = std::min<std::size_t>(crash.frame_count, CrashRecord::frames_max);
  for (std::size_t i = 0; i < count && innermost == nullptr; ++i) {
    const std::string sha256 = copies.sha256(crash.frames[i]);
    if (sha256.empty() || (report.seat && sha256 != report.sha256)) continue;
    innermost = &crash.frames[i];
    report.sha256 = sha256;
  }
  for (const SeatRecord& seat : seats)  // its file's name, if known
    if (path.empty() && text(seat.sha256) == report.sha256) path = text(seat.path);

  const PluginNames names = innermost != nullptr
                                ? plugin_names(report.sha256, path, copies.bytes(*innermost))
                                : PluginNames{.name = fs::path(path).stem().string(), .file = {}};
  if (report.seat || !report.sha256.empty())
    report.text = blamed_plugin(report.sha256, names.name);
  else
    report.text = "no plugin";
  report.text += report.seat ? fmt::format(": step {}.{} {}", text(report.seat->flow),
                                           text(report.seat->step_slug), cause_text(crash))
                             : fmt::format(": a thread of its own {}", cause_text(crash));
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
  report.sha256 = text(seat.sha256);
  report.text = fmt::format("{}: step {}.{} ended the process that ran nothing else: {}",
                            blamed_plugin(report.sha256, fs::path(text(seat.path)).stem().string()),
                            text(seat.flow), text(seat.step_slug), cause);
}

CrashReport report_of(const FlightRecorder& recorder, const ProcessEnd& end, const fs::path& stage,
                      bool is_trial) {
  CrashReport report = recorded_crash(recorder, end, stage);
  if (report.seat != nullptr) return report;
  for (const SeatRecord& seat : recorder.seats())
    if (seat.state.load(std::memory_order_acquire) == SeatRecord::in_call && !is_wild(seat) &&
        (report.sha256.empty() || text(seat.sha256) == report.sha256))
      report.suspects.push_back(&seat);
  if (is_trial && report.suspects.size() == 1) {
    report.seat = report.suspects.front();
    report.suspects.clear();
    const bool is_recorded = recorder.page().crash.thread.load(std::memory_order_acquire) != 0;
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
