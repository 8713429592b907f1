#include "isolated/wire.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"

TEST_SUITE_BEGIN("isolated: frames");

namespace {
using namespace weir;

struct Pair {
  Pair() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    here = FileDescriptor(both[0]);
    there = FileDescriptor(both[1]);
  }
  FileDescriptor here, there;
};

OutgoingFrame line(std::string_view text) {
  static thread_local LogFrame fixed;
  fixed = {.number = 1, .level = 1, .reserved = 0, .text_bytes = text.size()};
  return {FrameKind::log, fixed, {text}};
}

// The next end that is not a part of a frame.
WireEnd read_whole(FrameReader& reader, std::uint64_t bytes_max) {
  WireEnd end = WireEnd::not_yet;
  while (end == WireEnd::not_yet) end = reader.read(bytes_max);
  return end;
}
}  // namespace

TEST_CASE("A frame is not made of a temporary, which would be gone when it is sent") {
  using Texts = std::initializer_list<std::string_view>;
  CHECK(std::is_constructible_v<OutgoingFrame, FrameKind, const OpenFrame&, Texts>);
  CHECK(!std::is_constructible_v<OutgoingFrame, FrameKind, OpenFrame, Texts>);
}

TEST_CASE("Frames of all sizes arrive whole and in order") {
  const Pair pair;
  const std::vector<std::size_t> sizes = {0, 1, 65'000, 65'536, 5'000'000, 3, 200'000, 0};
  std::thread writer([&] {
    for (const std::size_t size : sizes) {
      const std::string text(size, 'x');
      OutgoingFrame frame = line(text);
      while (frame.send(pair.there.fd()) == WireEnd::not_yet) {
      }
    }
  });
  FrameReader reader(pair.here.fd());
  for (const std::size_t size : sizes) {
    REQUIRE(read_whole(reader, 10'000'000) == WireEnd::ok);
    Frame frame = reader.frame();
    CHECK(frame.kind() == FrameKind::log);
    const auto fixed = frame.take<LogFrame>();
    REQUIRE(fixed);
    CHECK(frame.text(fixed->text_bytes) == std::string(size, 'x'));
    CHECK_FALSE(frame.text(1));
  }
  writer.join();
}

TEST_CASE("Several frames of one read are given one by one") {
  const Pair pair;
  REQUIRE(line("one").send(pair.there.fd()) == WireEnd::ok);
  REQUIRE(line("two").send(pair.there.fd()) == WireEnd::ok);
  FrameReader reader(pair.here.fd());
  for (const char* text : {"one", "two"}) {
    REQUIRE(reader.read(100) == WireEnd::ok);
    Frame frame = reader.frame();
    REQUIRE(frame.take<LogFrame>());
    CHECK(frame.text(3) == text);
  }
}

TEST_CASE("A frame longer than was allowed is broken and not read") {
  const Pair pair;
  REQUIRE(line(std::string(200, 'x')).send(pair.there.fd()) == WireEnd::ok);
  FrameReader reader(pair.here.fd());
  CHECK(reader.read(100) == WireEnd::broken);
}

TEST_CASE("A frame cut off by the other end's death is no frame") {
  Pair pair;
  const std::string part(10, 'x');
  REQUIRE(::write(pair.there.fd(), part.data(), part.size()) == 10);
  pair.there.reset();
  FrameReader reader(pair.here.fd());
  CHECK(reader.read(100) == WireEnd::not_yet);  // after each part its reader has a turn
  CHECK(reader.read(100) == WireEnd::closed);
  CHECK(line("one").send(pair.here.fd()) == WireEnd::closed);
}

TEST_CASE("Reading goes on where a timeout broke it off") {
  const Pair pair;
  const timeval soon{.tv_sec = 0, .tv_usec = 1'000};
  ::setsockopt(pair.here.fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  FrameReader reader(pair.here.fd());
  CHECK(reader.read(100) == WireEnd::not_yet);
  const LogFrame fixed{.number = 1, .level = 1, .reserved = 0, .text_bytes = 3};
  std::string bytes(16, '\0');
  const std::uint32_t kind = static_cast<std::uint32_t>(FrameKind::log);
  const std::uint64_t size = sizeof fixed + 3;
  bytes.replace(0, 4, reinterpret_cast<const char*>(&kind), 4);
  bytes.replace(8, 8, reinterpret_cast<const char*>(&size), 8);
  bytes.append(reinterpret_cast<const char*>(&fixed), sizeof fixed).append("one");
  for (const char byte : bytes) {
    CHECK(reader.read(100) == WireEnd::not_yet);
    REQUIRE(::write(pair.there.fd(), &byte, 1) == 1);
  }
  REQUIRE(reader.read(100) == WireEnd::ok);
  Frame frame = reader.frame();
  REQUIRE(frame.take<LogFrame>());
  CHECK(frame.text(3) == "one");
}

TEST_SUITE_END();
