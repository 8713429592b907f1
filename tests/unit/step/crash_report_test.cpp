// A process that crashes may have written anything into its record: its reader must bear that.
#include "step/crash_report.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include <dlfcn.h>
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
constexpr ProcessEnd exited{.by_signal = false, .number = 3};
const std::string plugin_hash(64, 'a');

template <std::size_t Size>
void put(std::array<char, Size>& into, std::string_view text) {
  into.fill('\0');
  text.copy(into.data(), Size);
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

// Whose constructors or destructors ran; the copy itself is gone.
void recording(flight::Page& page, LibraryCode code) {
  page.library.code = static_cast<std::int32_t>(code);
  put(page.library.copy, "/stage/weir-stage-1/" + plugin_hash + ".so");
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

  TEST_CASE("F1: a thread that crashes as it loads a plugin charges that plugin and no step") {
    for (const bool is_trial : {false, true}) {
      const FlightRecorder recorder = crashed();
      flight::Page& page = recorder.page();
      page.crash.seat = -1;
      recording(page, LibraryCode::constructors);
      page.library.thread = page.crash.thread.load();
      const CrashReport report = crash_report(recorder, killed, "/stage", is_trial);
      CHECK(report.seat == nullptr);
      CHECK(report.suspects.empty());
      CHECK(report.sha256 == plugin_hash);
      CHECK(report.while_loading);
      CHECK(report.text == "plugin (sha256 aaaaaaaaaaaa): loading it crashed: SIGSEGV");
    }
  }

  TEST_CASE("F1: a thread that takes too long to load a plugin charges that plugin and no step") {
    const FlightRecorder recorder = crashed();
    flight::Page& page = recorder.page();
    page.crash.seat = -1;
    page.crash.signal = SIGABRT;
    page.crash.code = SI_TIMER;
    const ProcessEnd aborted{.by_signal = true, .number = SIGABRT};
    recording(page, LibraryCode::constructors);
    page.library.thread = page.crash.thread.load();
    const CrashReport report = crash_report(recorder, aborted, "/stage");
    CHECK(report.suspects.empty());
    CHECK(report.while_loading);
    CHECK(report.text == "plugin (sha256 aaaaaaaaaaaa): loading it takes longer than 15 s");
    page.library.thread = 0;  // a timer of the step's own
    CHECK(crash_report(recorder, aborted, "/stage").text ==
          "no plugin: a thread of its own crashed: SIGABRT");
  }

  TEST_CASE("F1: what ends a process unrecorded as it unloads a plugin, beside no step, is that") {
    const FlightRecorder recorder = crashed();
    flight::Page& page = recorder.page();
    page.crash.thread = 0;
    recorder.seats()[1].state = SeatRecord::idle;
    recording(page, LibraryCode::destructors);
    page.library.thread = 5;
    const CrashReport report = crash_report(recorder, exited, "/stage");
    CHECK(report.sha256 == plugin_hash);
    CHECK_FALSE(report.while_loading);
    CHECK(report.text ==
          "plugin (sha256 aaaaaaaaaaaa): unloading it ended the process: exit status 3");
  }

  TEST_CASE(
      "F10: a suspect is not charged alone for what ended its process as a plugin was loaded") {
    const FlightRecorder recorder = crashed();
    flight::Page& page = recorder.page();
    page.crash.thread = 0;
    CHECK(crash_report(recorder, exited, "/stage", true).seat != nullptr);
    recording(page, LibraryCode::constructors);
    page.library.thread = 5;
    const CrashReport report = crash_report(recorder, exited, "/stage", true);
    CHECK(report.seat == nullptr);
    CHECK(report.sha256.empty());
    CHECK(report.suspects.size() == 1);
    CHECK(report.text ==
          "the worker process ended by exit status 3, in the middle of this: plugin (sha256 "
          "aaaaaaaaaaaa): loading it");
  }

  TEST_CASE("F1: a signal from outside is no fault of the plugin that is loaded") {
    const FlightRecorder recorder = crashed();
    flight::Page& page = recorder.page();
    page.crash.seat = -1;
    page.crash.sender = 1;
    recorder.seats()[1].state = SeatRecord::idle;
    recording(page, LibraryCode::constructors);
    page.library.thread = page.crash.thread.load();
    CHECK(crash_report(recorder, killed, "/stage").sha256.empty());
  }

  TEST_CASE("F1: what a record calls a hash and is none names no plugin") {
    const FlightRecorder recorder = crashed();
    put(recorder.seats()[1].sha256, "../../etc/passwd");
    CHECK(crash_report(recorder, killed, "/stage").sha256.empty());
    put(recorder.seats()[1].sha256, plugin_hash);
    CHECK(crash_report(recorder, killed, "/stage").sha256 == plugin_hash);
  }

  TEST_CASE("F1: a record names no slot that is in no call") {
    const FlightRecorder recorder = crashed();
    recorder.seats()[1].state = SeatRecord::idle;
    const CrashReport report = crash_report(recorder, killed, "/stage");
    CHECK(report.seat == nullptr);
    CHECK(report.suspects.empty());
  }

  TEST_CASE("F1: an end that is not the recorded one charges nobody with the record") {
    const FlightRecorder recorder = crashed();
    CrashRecord& crash = recorder.page().crash;
    crash.signal = 0;
    crash.code = 0x103;
    // The lowest byte is the status.
    CHECK(crash_report(recorder, exited, "/stage").seat != nullptr);
    CHECK(crash_report(recorder, killed, "/stage").seat == nullptr);
    crash.code = 4;
    const CrashReport report = crash_report(recorder, exited, "/stage");
    CHECK(report.seat == nullptr);
    CHECK(report.suspects.size() == 1);
    CHECK(report.text == "the worker process ended by exit status 3");
  }

  TEST_CASE("F1: of the files that a record names, those of plugins and of the host are read") {
    const TemporaryFolder folder;
    const std::string stage = folder.path() / "stage";
    std::filesystem::create_directories(stage + "/weir-stage-1");
    const void* const function = ::dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    Dl_info own{};
    REQUIRE(::dladdr(function, &own) != 0);
    const std::string copy = stage + "/weir-stage-1/" + plugin_hash + ".so";
    std::filesystem::copy_file(own.dli_fname, copy);
    const std::string elsewhere = folder.path() / "libelsewhere.so";
    std::filesystem::copy_file(own.dli_fname, elsewhere);
    const std::string around = stage + "/../stage/weir-stage-1/" + plugin_hash + ".so";
    const auto address = reinterpret_cast<std::uintptr_t>(function);
    const std::uint64_t offset = address - reinterpret_cast<std::uintptr_t>(own.dli_fbase);
    const auto is_read = [&](const std::string& file) {
      const FlightRecorder recorder = crashed();
      CrashRecord& crash = recorder.page().crash;
      crash.frame_count = crash.file_count = 1;
      crash.frames[0] = {.address = address, .offset = offset, .file = 0};
      put(crash.files[0], file);
      return crash_report(recorder, killed, stage).text.contains("gnu_get_libc_version");
    };
    CHECK(is_read(std::filesystem::canonical(own.dli_fname)));
    CHECK(is_read(copy));
    CHECK_FALSE(is_read(elsewhere));
    CHECK_FALSE(is_read(around));
  }

  TEST_CASE("F1: files that a record names are read only if they are files") {
    const TemporaryFolder folder;
    const auto fifo = folder.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (const std::string& file : {std::string("/dev/zero"), fifo.string(), std::string("/"),
                                    std::string("/nowhere"), std::string(600, '/')}) {
      // Below the folder of the copies, where a file is read.
      const std::string link = folder.path() / (plugin_hash + ".so");
      std::filesystem::remove(link);
      std::filesystem::create_symlink(file.substr(0, 500), link);
      const FlightRecorder recorder = crashed();
      CrashRecord& crash = recorder.page().crash;
      crash.frame_count = 0xFFFFFFFF;
      crash.file_count = 0xFFFFFFFF;
      for (auto& frame : crash.frames) frame.file = 0;
      for (const std::string& named : {file, link}) {
        put(crash.files[0], named);
        CHECK(crash_report(recorder, killed, folder.path()).seat != nullptr);
      }
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
