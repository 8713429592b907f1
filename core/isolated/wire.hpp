#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weir {

/// The protocol between a worker and its isolated children: frames on a stream socket. Both ends
/// are the same program on the same machine, so structs are sent as they are in memory.
///
/// A child is sent a call once it has answered the one before: with its result, or that it is pending.
/// Results and lines of pending calls come in any order, between those of others.
enum class FrameKind : std::uint32_t {
  open = 1,  ///< to the child, first: OpenFrame
  opened,    ///< from it: OpenedFrame
  refused,   ///< from it, instead: RefusedFrame
  call,      ///< to it: CallFrame
  log,       ///< from it, during a call: LogFrame
  result,    ///< from it, ends a call: ResultFrame
  pending,   ///< from it: the call is deferred and its result comes later: PendingFrame
};

// Each is followed by its texts, in the order of the members with their sizes.
struct OpenFrame {
  std::int64_t memory_bytes;
  std::uint64_t staged_bytes, path_bytes, sha256_bytes, note_bytes;
};
struct OpenedFrame {
  std::uint32_t filtered;  ///< whether system calls are filtered
  std::uint32_t reserved;
};
struct RefusedFrame {
  std::uint32_t fault;  ///< PluginFault
  std::uint32_t reserved;
  std::uint64_t detail_bytes, hint_bytes;
};
struct CallFrame {
  std::uint64_t number;  ///< 1, 2, 3 …, for each child
  std::uint32_t flow;    ///< its position in the manifest
  std::uint32_t step;    ///< its position in the definition
  std::uint64_t index;
  std::int64_t max_output_bytes;
  std::int32_t attempt;
  std::uint32_t reserved;
  std::uint64_t run_id_bytes, input_bytes, flow_input_bytes;
};
struct LogFrame {
  std::uint64_t number;  ///< of the call that says it; 0: it is a warning of the child itself
  std::int32_t level;    ///< WEIR_LOG_…
  std::uint32_t reserved;
  std::uint64_t text_bytes;
};
struct ResultFrame {
  std::uint64_t number;  ///< of the call
  std::int32_t outcome;  ///< Outcome: completed, failed or failed_for_good
  std::uint32_t reserved;
  std::int64_t retry_after_ms;           ///< 0: none
  std::uint64_t code_bytes, text_bytes;  ///< a completed call has no code, and its output as text
};

struct PendingFrame {
  std::uint64_t number;  ///< of the call whose `run` has returned
};

/// The result of sending or receiving a frame.
enum class WireEnd {
  ok,
  not_yet,  ///< a part came, or the socket's timeout passed: call again to continue
  closed,   ///< the other end has closed the socket
  broken,   ///< the data is not a frame of ours, or longer than allowed
};

/// A frame to send: `fixed` is one of the structs above, `texts` are the texts that follow it. It
/// refers to all of them until it is sent, so `fixed` must not be a temporary.
class OutgoingFrame {
 public:
  static constexpr std::size_t texts_max = 4;

  template <class Fixed>
  OutgoingFrame(FrameKind kind, const Fixed& fixed, std::initializer_list<std::string_view> texts)
      : OutgoingFrame(kind, std::string_view(reinterpret_cast<const char*>(&fixed), sizeof(Fixed)),
                      std::span(texts.begin(), texts.size())) {}
  template <class Fixed>
  OutgoingFrame(FrameKind kind, const Fixed&& fixed,
                std::initializer_list<std::string_view> texts) = delete;

  /// Sends what is not sent yet; in one write if the socket has room. Never raises SIGPIPE.
  WireEnd send(int socket);

 private:
  OutgoingFrame(FrameKind kind, std::string_view fixed, std::span<const std::string_view> texts);

  struct Header {
    FrameKind kind;
    std::uint32_t reserved;
    std::uint64_t bytes;
  };
  friend class FrameReader;

  Header header_;
  std::string_view parts_[texts_max + 2];
  std::size_t part_count_ = 0;
  std::size_t sent_bytes_ = 0;
};

/// A received frame; its texts are valid until the next read.
class Frame {
 public:
  Frame(FrameKind kind, std::string_view body) : kind_(kind), body_(body) {}

  FrameKind kind() const noexcept { return kind_; }

  /// Takes the struct at its beginning; nullopt when the frame is too short.
  template <class Fixed>
  std::optional<Fixed> take() {
    if (body_.size() < sizeof(Fixed)) return std::nullopt;
    Fixed fixed;
    // The size was checked.  NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    __builtin_memcpy(&fixed, body_.data(), sizeof fixed);
    body_.remove_prefix(sizeof fixed);
    return fixed;
  }

  /// Takes its next text; nullopt when fewer bytes are left.
  std::optional<std::string_view> text(std::uint64_t bytes);

 private:
  FrameKind kind_;
  std::string_view body_;
};

// What frames of each kind say: their structs and, as views into them, their texts.
struct OpenMessage {
  OpenFrame fixed;
  std::string_view staged, path, sha256, note;
};
struct RefusedMessage {
  RefusedFrame fixed;
  std::string_view detail, hint;
};
struct CallMessage {
  CallFrame fixed;
  std::string_view run_id, input, flow_input;
};
struct LogMessage {
  LogFrame fixed;
  std::string_view text;
};
struct ResultMessage {
  ResultFrame fixed;
  std::string_view code, text;
};

// nullopt when the frame is of another kind, or shorter than it says.
std::optional<OpenMessage> read_open(Frame frame);
std::optional<OpenedFrame> read_opened(Frame frame);
std::optional<RefusedMessage> read_refused(Frame frame);
std::optional<CallMessage> read_call(Frame frame);
std::optional<LogMessage> read_log(Frame frame);
std::optional<ResultMessage> read_result(Frame frame);  ///< nor when its numbers are impossible
std::optional<PendingFrame> read_pending(Frame frame);

/// Reads frames from a stream socket, each with one read when it arrives whole. One call reads once,
/// so that its caller has a turn however slowly the other end writes.
class FrameReader {
 public:
  explicit FrameReader(int socket) : socket_(socket) {}

  /// Reads the next frame, of at most `bytes_max`. After not_yet the next call continues where this
  /// one stopped. `flags` are those of recv().
  WireEnd read(std::uint64_t bytes_max, int flags = 0);

  /// Whether the next read() takes from what it has received before.
  bool is_ready(std::uint64_t bytes_max) const;

  /// The frame that read() received.
  Frame frame() const noexcept;

 private:
  WireEnd find_frame(std::size_t begin, std::uint64_t bytes_max, std::size_t& wanted) const;
  void make_room(std::size_t bytes);

  int socket_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;  // [begin_, end_) was received, not consumed
  std::size_t frame_bytes_ = 0;                     // bytes of the frame at begin_
};

}  // namespace weir
