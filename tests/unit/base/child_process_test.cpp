#include "base/child_process.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

using namespace weir;
using namespace std::chrono_literals;

namespace {

ChildProcess shell(const std::string& script, std::vector<ChildCommand::Inherited> inherited = {},
                   std::vector<std::string> environment = {}) {
  auto child = ChildProcess::start({.program = "/bin/sh",
                                    .arguments = {"-c", script},
                                    .inherited = std::move(inherited),
                                    .environment = std::move(environment),
                                    .quiet = true});
  REQUIRE_MESSAGE(child, to_string(child.error()));
  return *std::move(child);
}

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    in = FileDescriptor(ends[0]);
    out = FileDescriptor(ends[1]);
  }
  std::string all() {
    out.reset();
    std::string text;
    char block[256];
    for (ssize_t count; (count = read(in.fd(), block, sizeof block)) > 0;)
      text.append(block, static_cast<std::size_t>(count));
    return text;
  }
  FileDescriptor in, out;
};

}  // namespace

TEST_CASE("a child's exit status and its signal are told apart") {
  CHECK(shell("exit 3").wait(10s) == ProcessEnd{.by_signal = false, .number = 3});
  CHECK(shell("kill -SEGV $$").wait(10s) == ProcessEnd{.by_signal = true, .number = SIGSEGV});
  CHECK(to_string(ProcessEnd{.by_signal = true, .number = SIGSEGV}) == "signal 11 (SIGSEGV)");
  CHECK(to_string(ProcessEnd{.by_signal = false, .number = 3}) == "exit status 3");
}

TEST_CASE("a child finds descriptors under their numbers and no others") {
  Pipe first, second;
  // Each under the other's number, the likeliest to be closed by mistake.
  // Looked at by the shell itself: a pipeline would have descriptors of its own.
  auto child = shell(
      "echo one >&3; echo two >&4; for fd in 0 1 2 3 4 5 6 7 8 9; do "
      "[ -e /proc/$$/fd/$fd ] && echo $fd >&3; done",
      {{.fd = first.out.fd(), .as = 3}, {.fd = second.out.fd(), .as = 4}});
  CHECK(first.all() == "one\n0\n1\n2\n3\n4\n");
  CHECK(second.all() == "two\n");
  CHECK(child.wait(10s).has_value());
}

TEST_CASE("a child has the environment it is given alone") {
  Pipe pipe;
  auto child = shell("/usr/bin/env >&3", {{.fd = pipe.out.fd(), .as = 3}}, {"ONLY=this"});
  const std::string all = pipe.all();
  CHECK(all.find("ONLY=this\n") != std::string::npos);
  CHECK(all.find("HOME=") == std::string::npos);
}

TEST_CASE("what a child leaves behind in its group ends with it") {
  Pipe pipe;
  // The grandchild holds the pipe: its end is the end of the stream.
  auto child = shell("sleep 1000 & echo left", {{.fd = pipe.out.fd(), .as = 1}});
  CHECK(child.wait(10s)->ok());
  CHECK(pipe.all() == "left\n");
}

TEST_CASE("a child that is dropped is killed with its group") {
  Pipe pipe;
  {
    const ChildProcess child = shell("sleep 1000", {{.fd = pipe.out.fd(), .as = 3}});
  }
  CHECK(pipe.all().empty());
}

TEST_CASE("a child that has left its group is killed all the same") {
  Pipe pipe;
  auto child = ChildProcess::start({.program = LEAVES_GROUP,
                                    .inherited = {{.fd = pipe.out.fd(), .as = 3}},
                                    .environment = sanitizer_variables()});
  REQUIRE(child);
  CHECK(pipe.all() == "moved\n");
  CHECK_FALSE(child->wait(0ms));
  CHECK(child->kill() == ProcessEnd{.by_signal = true, .number = SIGKILL});
}

TEST_CASE("a child that is killed and does not end in time keeps nobody waiting") {
  constexpr ProcessEnd as_killed{.by_signal = true, .number = SIGKILL};
  std::optional<ProcessHandle> other;
  {
    auto child = shell("sleep 1000");
    other = *ProcessHandle::open(child.pid());
    CHECK(child.kill(0ms) == as_killed);
    CHECK(child.wait(10s) == as_killed);
  }
  CHECK(other->has_ended(10s));
  // It is reaped with the start of another one, at the latest.
  CHECK(shell("exit 0").wait(10s)->ok());
  CHECK(kill(other->pid(), 0) != 0);
}

TEST_CASE("a program that is not there is an error") {
  const auto child = ChildProcess::start({.program = "/nowhere/at/all"});
  REQUIRE_FALSE(child);
  CHECK(child.error().kind == "no_process");
}
