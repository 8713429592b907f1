// simulate SEEDS [--from N] [--mistake NAME]: runs that many schedules, spread over the processors.
// Prints its progress; for each failure the seed, the violations, and the command that repeats it.
#define DOCTEST_CONFIG_IMPLEMENT  // code that the oracle uses has checks of doctest
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include "simulation/simulation.hpp"

namespace {

using namespace weir::simulation;
using Clock = std::chrono::steady_clock;

struct Request {
  std::uint64_t seeds = 100'000, first = 1;
  Mistake mistake = Mistake::none;
  std::string_view mistake_name = "none";
};

// The result of one seed, which a process writes in one piece.
struct SeedResult {
  std::uint64_t seed = 0;
  Tally tally;
  double virtual_seconds = 0;
  bool failed = false;
};

std::optional<Request> parse(int count, char** words) {
  Request request;
  const auto number = [](std::string_view text, std::uint64_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const std::string_view next = i + 1 < count ? words[i + 1] : "";
    if (word == "--from") {
      if (!number(next, request.first)) return std::nullopt;
      ++i;
    } else if (word == "--mistake") {
      const auto found =
          std::ranges::find(mistakes, next, [](const auto& each) { return each.second; });
      if (found == mistakes.end()) return std::nullopt;
      request.mistake = found->first;
      request.mistake_name = found->second;
      ++i;
    } else if (!number(word, request.seeds)) {
      return std::nullopt;
    }
  }
  return request;
}

void print_failure(const Request& request, std::uint64_t seed, const Verdict& verdict) {
  std::string text = fmt::format("seed {}:\n", seed);
  for (const std::string& each : verdict.violations) text += "  " + each + "\n";
  text += fmt::format(
      "  again: script/simulate 1 --from {}{}\n", seed,
      request.mistake == Mistake::none ? "" : fmt::format(" --mistake {}", request.mistake_name));
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

int work(const Request& request, std::uint64_t offset, std::uint64_t stride, int out) {
  for (std::uint64_t each = offset; each < request.seeds; each += stride) {
    const std::uint64_t seed = request.first + each;
    const Verdict verdict = simulate(seed, request.mistake);
    const SeedResult result{.seed = seed,
                            .tally = verdict.tally,
                            .virtual_seconds = verdict.virtual_seconds,
                            .failed = !verdict.violations.empty()};
    if (result.failed) print_failure(request, seed, verdict);
    if (::write(out, &result, sizeof result) != sizeof result) return 1;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const auto request = parse(count, words);
  if (!request) {
    fmt::print(stderr, "simulate SEEDS [--from N] [--mistake NAME]\nmistakes:");
    for (const auto& [mistake, name] : mistakes) fmt::print(stderr, " {}", name);
    fmt::print(stderr, "\n");
    return 2;
  }
  int pipe[2];
  if (::pipe(pipe) != 0) return std::perror("simulate"), 1;
  const std::uint64_t processes =
      std::min<std::uint64_t>(request->seeds, std::max(1U, std::thread::hardware_concurrency()));
  for (std::uint64_t i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return std::perror("simulate"), 1;
    if (child == 0) {
      ::close(pipe[0]);
      ::_exit(work(*request, i, processes, pipe[1]));
    }
  }
  ::close(pipe[1]);

  const auto begin = Clock::now();
  SeedResult result, sum;
  std::uint64_t done = 0, failed = 0;
  auto next_line = begin + std::chrono::seconds(10);
  while (::read(pipe[0], &result, sizeof result) == sizeof result) {
    ++done;
    failed += result.failed ? 1 : 0;
    sum.tally += result.tally;
    sum.virtual_seconds += result.virtual_seconds;
    if (Clock::now() < next_line) continue;
    next_line = Clock::now() + std::chrono::seconds(10);
    fmt::print("{} of {} seeds, {} failed\n", done, request->seeds, failed);
    std::fflush(stdout);
  }
  bool died = false;
  for (int status = 0; ::wait(&status) > 0;) died = died || status != 0;
  fmt::print("{} seeds from {}: {} failed; {}, {:.0f} hours of virtual time, in {:.0f} s\n", done,
             request->first, failed, described(sum.tally), sum.virtual_seconds / 3600,
             std::chrono::duration<double>(Clock::now() - begin).count());
  if (died || done < request->seeds) {
    fmt::print(stderr, "one of its processes died: run the seeds one by one to find which\n");
    return 1;
  }
  return failed == 0 ? 0 : 1;
}
