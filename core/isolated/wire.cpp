#include "isolated/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/assert.hpp"
#include "run/journal_row.hpp"

namespace weir {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;
constexpr std::size_t kept_bytes_max = 1024 * 1024;  // a larger buffer is freed after its frame

WireEnd failed(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return WireEnd::not_yet;
  return WireEnd::closed;
}

}  // namespace

OutgoingFrame::OutgoingFrame(FrameKind kind, std::string_view fixed,
                             std::span<const std::string_view> texts)
    : header_{.kind = kind, .reserved = 0, .bytes = fixed.size()} {
  WEIR_ASSERT(texts.size() <= texts_max);
  part_count_ = 1;  // the first is the header; send() sets it, because this object may move
  parts_[part_count_++] = fixed;
  for (const std::string_view text : texts) {
    header_.bytes += text.size();
    parts_[part_count_++] = text;
  }
}

WireEnd OutgoingFrame::send(int socket) {
  parts_[0] = {reinterpret_cast<const char*>(&header_), sizeof header_};
  for (;;) {
    std::array<iovec, texts_max + 2> left{};
    std::size_t count = 0, skipped = sent_bytes_;
    for (const std::string_view part : std::span(parts_, part_count_)) {
      const std::size_t skip = std::min(skipped, part.size());
      skipped -= skip;
      if (skip == part.size()) continue;
      left[count++] = {const_cast<char*>(part.data() + skip), part.size() - skip};
    }
    if (count == 0) return WireEnd::ok;
    msghdr message{};
    message.msg_iov = left.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0) return failed(errno);
    sent_bytes_ += static_cast<std::size_t>(sent);
    if (sent_bytes_ == sizeof header_ + header_.bytes) return WireEnd::ok;
  }
}

std::optional<std::string_view> Frame::text(std::uint64_t bytes) {
  if (bytes > body_.size()) return std::nullopt;
  const std::string_view found = body_.substr(0, bytes);
  body_.remove_prefix(bytes);
  return found;
}

namespace {

template <class Fixed>
std::optional<Fixed> take_of(FrameKind kind, Frame& frame) {
  return frame.kind() == kind ? frame.take<Fixed>() : std::nullopt;
}

}  // namespace

std::optional<OpenMessage> read_open(Frame frame) {
  const auto fixed = take_of<OpenFrame>(FrameKind::open, frame);
  if (!fixed) return std::nullopt;
  const auto staged = frame.text(fixed->staged_bytes), path = frame.text(fixed->path_bytes),
             sha256 = frame.text(fixed->sha256_bytes), note = frame.text(fixed->note_bytes);
  if (!staged || !path || !sha256 || !note) return std::nullopt;
  return OpenMessage{
      .fixed = *fixed, .staged = *staged, .path = *path, .sha256 = *sha256, .note = *note};
}

std::optional<OpenedFrame> read_opened(Frame frame) {
  return take_of<OpenedFrame>(FrameKind::opened, frame);
}

std::optional<RefusedMessage> read_refused(Frame frame) {
  const auto fixed = take_of<RefusedFrame>(FrameKind::refused, frame);
  if (!fixed) return std::nullopt;
  const auto detail = frame.text(fixed->detail_bytes), hint = frame.text(fixed->hint_bytes);
  if (!detail || !hint) return std::nullopt;
  return RefusedMessage{.fixed = *fixed, .detail = *detail, .hint = *hint};
}

std::optional<CallMessage> read_call(Frame frame) {
  const auto fixed = take_of<CallFrame>(FrameKind::call, frame);
  if (!fixed) return std::nullopt;
  const auto run_id = frame.text(fixed->run_id_bytes), input = frame.text(fixed->input_bytes),
             flow_input = frame.text(fixed->flow_input_bytes);
  if (!run_id || !input || !flow_input) return std::nullopt;
  return CallMessage{
      .fixed = *fixed, .run_id = *run_id, .input = *input, .flow_input = *flow_input};
}

std::optional<LogMessage> read_log(Frame frame) {
  const auto fixed = take_of<LogFrame>(FrameKind::log, frame);
  const auto text = fixed ? frame.text(fixed->text_bytes) : std::nullopt;
  if (!text) return std::nullopt;
  return LogMessage{.fixed = *fixed, .text = *text};
}

std::optional<ResultMessage> read_result(Frame frame) {
  const auto fixed = take_of<ResultFrame>(FrameKind::result, frame);
  if (!fixed || fixed->retry_after_ms < 0 ||
      fixed->outcome < static_cast<std::int32_t>(Outcome::completed) ||
      fixed->outcome > static_cast<std::int32_t>(Outcome::failed_for_good))
    return std::nullopt;
  const auto code = frame.text(fixed->code_bytes), text = frame.text(fixed->text_bytes);
  if (!code || !text) return std::nullopt;
  return ResultMessage{.fixed = *fixed, .code = *code, .text = *text};
}

std::optional<PendingFrame> read_pending(Frame frame) {
  return take_of<PendingFrame>(FrameKind::pending, frame);
}

// Makes room for `bytes` from begin_ on.
void FrameReader::make_room(std::size_t bytes) {
  const std::size_t held = end_ - begin_;
  const bool too_large = held == 0 && capacity_ > kept_bytes_max && bytes <= buffer_bytes;
  if (bytes > capacity_ || too_large) {
    const std::size_t wanted = std::max(bytes, buffer_bytes);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (held > 0) std::memcpy(larger.get(), buffer_.get() + begin_, held);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  } else if (held > 0 && begin_ + bytes > capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, held);
  } else if (held > 0) {
    return;
  }
  begin_ = 0;
  end_ = held;
  WEIR_ASSERT(bytes <= capacity_);
}

// Whether the frame at `begin` is whole: then `wanted` is its size, else as much of it as is known.
WireEnd FrameReader::find_frame(std::size_t begin, std::uint64_t bytes_max,
                                std::size_t& wanted) const {
  OutgoingFrame::Header header;
  wanted = sizeof header;
  if (end_ - begin < wanted) return WireEnd::not_yet;
  std::memcpy(&header, buffer_.get() + begin, sizeof header);
  if (header.bytes > bytes_max) return WireEnd::broken;
  wanted += static_cast<std::size_t>(header.bytes);
  return end_ - begin < wanted ? WireEnd::not_yet : WireEnd::ok;
}

bool FrameReader::is_ready(std::uint64_t bytes_max) const {
  std::size_t wanted = 0;
  return find_frame(begin_ + frame_bytes_, bytes_max, wanted) != WireEnd::not_yet;
}

WireEnd FrameReader::read(std::uint64_t bytes_max, int flags) {
  begin_ += std::exchange(frame_bytes_, 0);
  WEIR_ASSERT(begin_ <= end_ && end_ <= capacity_);
  std::size_t wanted = 0;
  WireEnd found = find_frame(begin_, bytes_max, wanted);
  if (found == WireEnd::not_yet) {
    make_room(wanted);
    WEIR_ASSERT(end_ < capacity_);  // no room would look as if the socket were closed
    const ssize_t received = ::recv(socket_, buffer_.get() + end_, capacity_ - end_, flags);
    if (received == 0) return WireEnd::closed;
    if (received < 0) return failed(errno);
    end_ += static_cast<std::size_t>(received);
    found = find_frame(begin_, bytes_max, wanted);
  }
  if (found == WireEnd::ok) frame_bytes_ = wanted;
  return found;
}

Frame FrameReader::frame() const noexcept {
  WEIR_ASSERT(frame_bytes_ >= sizeof(OutgoingFrame::Header));
  OutgoingFrame::Header header;
  std::memcpy(&header, buffer_.get() + begin_, sizeof header);
  return {
      header.kind,
      std::string_view(buffer_.get() + begin_, frame_bytes_).substr(sizeof(OutgoingFrame::Header))};
}

}  // namespace weir
