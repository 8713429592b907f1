// Any changes to the page of a process that crashed: its reader names no slot that there is not, and
// says nothing that cannot be printed.
//
// An input is a list of changes: their offset in the page (2 bytes, little-endian), how many bytes
// (1 byte), and the bytes. What is beyond the page is left out.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/printable.hpp"
#include "base/sha256.hpp"
#include "step/crash_report.hpp"

namespace {

using weir::FlightRecorder;
using weir::flight::CrashRecord;
using weir::flight::Page;
using weir::flight::SeatRecord;

constexpr std::size_t seat_count = 3;
constexpr std::string_view sha256 =
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

void require(bool holds) {
  if (!holds) std::abort();
}

template <std::size_t Size>
void put(std::array<char, Size>& into, std::string_view text) {
  std::memcpy(into.data(), text.data(), std::min(text.size(), Size - 1));
}

// Two slots in a call, and a thread of the second that has crashed in its plugin.
FlightRecorder crashed() {
  auto recorder = FlightRecorder::make(seat_count);
  require(recorder.has_value());
  for (std::size_t i = 1; i < seat_count; ++i) {
    SeatRecord& seat = recorder->seats()[i];
    seat.state = SeatRecord::in_call;
    seat.attempt = 1;
    seat.worker = 4;
    seat.run = 7;
    put(seat.run_id, "018f0000-0000-7000-8000-000000000001");
    put(seat.flow, "shop");
    put(seat.step_slug, "charge");
    put(seat.sha256, sha256);
    put(seat.path, "/plugins/shop.so");
  }
  CrashRecord& crash = recorder->page().crash;
  crash.thread = 1;
  crash.seat = 1;
  crash.signal = SIGSEGV;
  crash.code = 1;
  crash.frame_count = 2;
  crash.frames[0] = {.address = 0x1234, .offset = 0x234, .file = 0};
  crash.frames[1] = {.address = 0x9876, .offset = 0x876, .file = 1};
  crash.file_count = 2;
  put(crash.files[0], "/stage/of-nobody/" + std::string(sha256) + ".so");
  put(crash.files[1], "/nowhere/libc.so.6");
  return *std::move(recorder);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FlightRecorder recorder = crashed();
  auto* const page = reinterpret_cast<std::uint8_t*>(&recorder.page());
  const std::size_t bytes = sizeof(Page) + seat_count * sizeof(SeatRecord);
  while (size > 3) {
    const std::size_t at = data[0] + std::size_t{256} * data[1];
    const std::size_t count = std::min<std::size_t>(data[2], size - 3);
    data += 3;
    if (at < bytes) std::memcpy(page + at, data, std::min(count, bytes - at));
    data += count;
    size -= 3 + count;
  }
  for (const bool is_trial : {false, true}) {
    const weir::ProcessEnd end{.by_signal = !is_trial, .number = SIGKILL};
    const weir::CrashReport report = weir::crash_report(recorder, end, "/stage", is_trial);
    require(weir::printable(report.text, weir::Newlines::kept) == report.text);
    require(report.sha256.empty() || weir::is_sha256(report.sha256));
    require(report.suspects.size() <= seat_count);
    const auto is_slot = [&](const SeatRecord* seat) {
      const auto seats = report.record->seats();
      return seat >= seats.data() && seat < seats.data() + seats.size();
    };
    require(report.seat == nullptr || is_slot(report.seat));
    require(std::ranges::all_of(report.suspects, is_slot));
  }
  return 0;
}
