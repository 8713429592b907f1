// Any bytes on the channel between a worker and an isolated process, cut anywhere: both ends read
// them as frames, which lie in what was sent, or give up.
//
// An input is the size of the pieces in which the bytes come (1 byte, 0: all at once), and the bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <sys/socket.h>

#include "base/file_descriptor.hpp"
#include "isolated/wire.hpp"

namespace {

using weir::FileDescriptor;
using weir::Frame;
using weir::FrameReader;
using weir::WireEnd;

constexpr std::uint64_t frame_bytes_max = 1024 * 1024;

void require(bool holds) {
  if (!holds) std::abort();
}

// Reads all texts of a frame, and returns how many of the readers took it for theirs.
int read_through(const Frame& frame) {
  std::size_t sum = 0;
  const auto read = [&](auto... texts) {
    for (const std::string_view text : {texts...})
      for (const char c : text) sum += static_cast<unsigned char>(c);
  };
  int readers = 0;
  if (const auto open = weir::read_open(frame)) {
    ++readers;
    read(open->staged, open->path, open->sha256, open->note);
  }
  if (weir::read_opened(frame)) ++readers;
  if (const auto refused = weir::read_refused(frame)) {
    ++readers;
    read(refused->detail, refused->hint);
  }
  if (const auto call = weir::read_call(frame)) {
    ++readers;
    read(call->run_id, call->input, call->flow_input);
  }
  if (const auto line = weir::read_log(frame)) {
    ++readers;
    read(line->text);
  }
  if (const auto result = weir::read_result(frame)) {
    ++readers;
    require(result->fixed.retry_after_ms >= 0);
    read(result->code, result->text);
  }
  if (weir::read_pending(frame)) ++readers;
  asm volatile("" : : "r"(sum));  // the reads are not to be left out
  return readers;
}

// Reads what has come; false once nothing more can.
bool read_some(FrameReader& reader) {
  for (;;) {
    const WireEnd end = reader.read(frame_bytes_max);
    if (end != WireEnd::ok) return end == WireEnd::not_yet;
    require(read_through(reader.frame()) <= 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  int both[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) == 0);
  const FileDescriptor ours(both[0]);
  FileDescriptor theirs(both[1]);
  FrameReader reader(ours.fd());
  const std::size_t piece = data[0] == 0 ? size : data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::string_view next = bytes.substr(at, piece);
    const ssize_t sent = ::send(theirs.fd(), next.data(), next.size(), MSG_NOSIGNAL);
    require(sent == static_cast<ssize_t>(next.size()));
    if (!read_some(reader)) return 0;
  }
  theirs.reset();
  while (read_some(reader)) {
  }
  return 0;
}
