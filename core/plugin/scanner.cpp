#include "plugin/scanner.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/assert.hpp"
#include "base/child_process.hpp"
#include "plugin/scan_child.hpp"

namespace weir {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

PluginError no_scanner(std::string why) {
  return refusal(
             PluginStage::scan, PluginFault::stage_failed,
             fmt::format("it can't be scanned in a separate process: {}", why),
             "plugins are scanned before they are loaded; the next scan of the folder tries again")
      .error();
}

// The variables that decide how a library is found and loaded, so that the child does it as this
// process will; no others, as the environment often contains secrets.
std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (const char* name : {"LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES", "PATH", "HOME",
                           "TMPDIR", "LANG", "LC_ALL", "TZ"})
    if (const char* value = std::getenv(name); value != nullptr)
      all.push_back(fmt::format("{}={}", name, value));
  std::ranges::move(sanitizer_variables(), std::back_inserter(all));
  return all;
}

}  // namespace

void Scanner::Session::scan(std::span<const Order> orders, const Verdicts& verdicts) {
  for (std::size_t i = 0; i < orders.size();) {
    if (!child_) {
      if (const auto failed = start()) {
        child_.reset();
        for (; i < orders.size(); ++i) verdicts(i, placed(*failed, orders[i].file));
        return;
      }
    }
    i += scan_batch(orders, i, verdicts);
  }
}

// Returns how many orders were answered: fewer than the batch when the child ended within it.
std::size_t Scanner::Session::scan_batch(std::span<const Order> orders, std::size_t first,
                                         const Verdicts& verdicts) {
  std::vector<scan_wire::Order> batch;
  std::size_t bytes = 0;
  for (const Order& order : orders.subspan(first)) {
    scan_wire::Order next{order.file.sha256, order.staged.string()};
    bytes += next.sha256.size() + next.staged.size() + 2;
    if (batch.size() == scan_wire::batch_max || bytes > scan_wire::message_bytes_max) break;
    batch.push_back(std::move(next));
  }
  WEIR_ASSERT(!batch.empty());
  const std::string message = scan_wire::written(batch);
  // If the child ended meanwhile, that is handled below like any end.
  static_cast<void>(
      ::send(child_->socket.fd(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  for (std::size_t done = 0; done < batch.size(); ++done) {
    const std::size_t i = first + done;
    const PluginFile& file = orders[i].file;
    const auto verdict = next_verdict(scanner_.options_.limit);
    scanner_.scanned_.fetch_add(1, std::memory_order_relaxed);
    if (!verdict) {
      const bool out_of_time = !child_->process.wait(milliseconds(0)).has_value();
      PluginError refused = placed(kill_and_explain(out_of_time), file);
      child_.reset();
      verdicts(i, std::move(refused));
      return done + 1;
    }
    if (verdict->last) child_.reset();
    verdicts(i, verdict->refused ? std::optional(placed(*verdict->refused, file)) : std::nullopt);
    if (!child_) return done + 1;
  }
  return batch.size();
}

std::optional<PluginError> Scanner::Session::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return no_scanner(std::generic_category().message(errno));
  FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  const ScannerOptions& options = scanner_.options_;
  ChildCommand command{.program = options.program,
                       .arguments = options.arguments,
                       .inherited = {{theirs.fd(), scan_wire::child_fd}},
                       .environment = environment(),
                       .quiet = true};
  for (std::string& argument :
       scan_child_arguments(ceil<std::chrono::seconds>(options.limit).count()))
    command.arguments.push_back(std::move(argument));
  auto process = ChildProcess::start(command);
  if (!process) return no_scanner(process.error().message);
  scanner_.started_.fetch_add(1, std::memory_order_relaxed);
  child_.emplace(Child{.process = *std::move(process), .socket = std::move(ours), .token = {}});
  if (::getrandom(child_->token.data(), child_->token.size(), 0) !=
      static_cast<ssize_t>(child_->token.size()))
    return no_scanner("no random numbers");
  static_cast<void>(::send(child_->socket.fd(), child_->token.data(), child_->token.size(),
                           MSG_NOSIGNAL | MSG_DONTWAIT));
  child_->next = scan_wire::Verdict::ready;
  if (!next_verdict(options.start_limit))
    return no_scanner(fmt::format("{} is not ready: {}", options.program.native(),
                                  to_string(child_->process.kill())));
  child_->next = 0;
  return std::nullopt;
}

// nullopt when the child ended, or its time was over, before its next verdict.
std::optional<scan_wire::Verdict> Scanner::Session::next_verdict(milliseconds limit) {
  Child& child = *child_;
  const auto deadline = steady_clock::now() + limit;
  const auto left = [&] { return ceil<milliseconds>(deadline - steady_clock::now()); };
  for (bool ended = false;;) {
    const ssize_t size = ::recv(child.socket.fd(), message_.data(), message_.size(), MSG_DONTWAIT);
    if (size > 0) {
      auto verdict = scan_wire::read_verdict(
          child.token, std::string_view(message_).substr(0, static_cast<std::size_t>(size)));
      if (verdict && verdict->number == child.next) {
        ++child.next;
        return verdict;
      }
      if (left() <= milliseconds(0)) return std::nullopt;
      continue;  // written by a plugin
    }
    const bool closed = size == 0 || (errno != EAGAIN && errno != EINTR);
    if (ended) return std::nullopt;  // and all that it sent has been read
    pollfd awaited[] = {{closed ? -1 : child.socket.fd(), POLLIN, 0},
                        {child.process.pidfd(), POLLIN, 0}};
    if (::poll(awaited, 2, static_cast<int>(std::max(left(), milliseconds(0)).count())) == 0)
      return std::nullopt;
    ended = (awaited[1].revents & POLLIN) != 0;
  }
}

PluginError Scanner::Session::kill_and_explain(bool out_of_time) {
  const auto refuse = [](PluginFault kind, std::string detail, std::string_view hint) {
    return refusal(PluginStage::scan, kind, std::move(detail), hint).error();
  };
  const ProcessEnd end = child_->process.kill();
  if (out_of_time)
    return refuse(
        PluginFault::scan_timeout,
        fmt::format("loading it did not end within {} ms", scanner_.options_.limit.count()),
        "do nothing that takes time in constructors; open what is slow when a step needs "
        "it, as a shared resource");
  if (end.by_signal && end.number == SIGSYS)
    return refuse(PluginFault::scan_crashed,
                  "loading it starts another process, which ends the scanner by SIGSYS",
                  "start processes in a step, not in a constructor");
  if (end.by_signal)
    return refuse(PluginFault::scan_crashed,
                  fmt::format("loading it ends the process by {}", signal_name(end.number)),
                  "look at what runs when the library is loaded: constructors, and initialisers of "
                  "global variables; an exception that leaves one aborts");
  return refuse(PluginFault::scan_exited,
                fmt::format("loading it ends the process with exit status {}", end.number),
                "a constructor must not exit, nor close descriptors it did not open");
}

}  // namespace weir
