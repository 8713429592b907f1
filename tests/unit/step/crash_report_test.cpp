// A process that crashes may have written anything into its record: its reader must bear that.
#include "step/crash_report.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.hpp"
#include "support/temporary_folder.hpp"

using namespace weir;
using namespace weir::testing;
using flight::CrashRecord;
using flight::SeatRecord;

namespace {

constexpr std::size_t seat_count = 3;
constexpr ProcessEnd killed{.by_signal = true, .number = SIGSEGV};

template <std::size_t Size>
void put(std::array<char, Size>& into, std::string_view text) {
  into.fill('\0');
  std::memcpy(into.data(), text.data(), std::min(text.size(), Size));
}

// A slot in a call, and a thread of it that has crashed.
FlightRecorder crashed() {
  auto recorder = FlightRecorder::make(seat_count);
  REQUIRE(recorder);
  SeatRecord& seat = recorder->seats()[1];
  seat.state = SeatRecord::in_call;
  seat.attempt = 1;
  seat.worker = 4;
  seat.run = 7;
  put(seat.flow, "shop");
  put(seat.step_slug, "charge");
  CrashRecord& crash = recorder->page().crash;
  crash.thread = 1;
  crash.seat = 1;
  crash.signal = SIGSEGV;
  return *std::move(recorder);
}

}  // namespace

TEST_SUITE("crash report") {
  TEST_CASE("F1: a crash inside a step names the step") {
    const FlightRecorder recorder = crashed();
    const CrashReport report = crash_report(recorder, killed, "/stage");
    REQUIRE(report.seat != nullptr);
    CHECK(report.seat->run == 7);
    CHECK(report.text == "code of the program itself: step shop.charge crashed: SIGSEGV");
  }

  TEST_CASE("F1: the record can be made no smaller by who writes into it") {
    const FlightRecorder recorder = crashed();
    CHECK(::ftruncate(recorder.memory().fd(), 0) != 0);
    CHECK(::ftruncate(recorder.memory().fd(), 1 << 24) != 0);
  }

  TEST_CASE("F1: what is written after the copy was taken changes no report") {
    const FlightRecorder recorder = crashed();
    const CrashReport report = crash_report(recorder, killed, "/stage");
    recorder.seats()[1].run = 8;
    CHECK(report.seat->run == 7);
  }

  TEST_CASE("F1: a seat with impossible numbers is no culprit and no suspect") {
    const FlightRecorder recorder = crashed();
    SeatRecord& seat = recorder.seats()[1];
    const auto is_dropped = [&] {
      const CrashReport report = crash_report(recorder, killed, "/stage");
      return report.seat == nullptr && report.suspects.empty();
    };
    CHECK_FALSE(is_dropped());
    for (const std::int32_t attempt : {0, -1, 40'000}) {
      seat.attempt = attempt;
      CHECK(is_dropped());
    }
    seat.attempt = 1;
    seat.step = 0xFFFFFFFF;
    CHECK(is_dropped());
    seat.step = 0;
    seat.run = -3;
    CHECK(is_dropped());
  }

  TEST_CASE("F1: files that a record names are read only if they are files") {
    const TemporaryFolder folder;
    const auto fifo = folder.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (const std::string& file : {std::string("/dev/zero"), fifo.string(), std::string("/"),
                                    std::string("/nowhere"), std::string(600, '/')}) {
      const FlightRecorder recorder = crashed();
      CrashRecord& crash = recorder.page().crash;
      crash.frame_count = 0xFFFFFFFF;
      crash.file_count = 0xFFFFFFFF;
      for (auto& frame : crash.frames) frame.file = 0;
      put(crash.files[0], file);
      CHECK(crash_report(recorder, killed, "/stage").seat != nullptr);
    }
  }

  TEST_CASE("F1: whatever a record contains gives a report that can be printed") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 2'000; ++round) {
      const FlightRecorder recorder = crashed();
      flight::Page& page = recorder.page();
      // Some bytes, or all, of the crash and of the seats; not the addresses of files that exist.
      auto* const first = reinterpret_cast<unsigned char*>(&page.crash);
      auto* const last = reinterpret_cast<unsigned char*>(recorder.seats().data() + seat_count);
      const std::span<unsigned char> bytes(first, static_cast<std::size_t>(last - first));
      const std::size_t times = round % 3 == 0 ? bytes.size() : 1 + random() % 200;
      for (std::size_t i = 0; i < times; ++i)
        bytes[random() % bytes.size()] = static_cast<unsigned char>(random());
      page.seat_count = static_cast<std::uint32_t>(random());
      const CrashReport report = crash_report(recorder, killed, "/stage", round % 2 == 0);
      CHECK(printable(report.text, Newlines::kept) == report.text);
      CHECK(report.suspects.size() <= seat_count);
    }
  }
}
