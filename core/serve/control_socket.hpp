#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"

namespace weir {

// The messages between `weir serve` and its worker process: short texts, each sent whole.
namespace control {

inline constexpr std::string_view drain = "drain";  ///< to the worker process
inline constexpr std::string_view stop = "stop";    ///< to the worker process
/// "crashed <sha256>": to it, of a plugin that crashed in another process of this service; from it,
/// of one that crashed isolated.
inline constexpr std::string_view crashed = "crashed";
inline constexpr std::string_view exited = "exited";      ///< from it: "exited 1", its exit code
inline constexpr std::string_view tried = "tried";        ///< from it: its trial is over
inline constexpr std::string_view crashing = "crashing";  ///< from it: it is recording its crash

/// Makes the two ends. Errors: unavailable, kind "out_of_descriptors".
Result<std::pair<FileDescriptor, FileDescriptor>> make_pair();

/// False when the other end is closed.
bool send(const FileDescriptor& end, std::string_view message) noexcept;

/// Waits for the next message; nullopt when the other end is closed, or this one was shut down.
std::optional<std::string> receive(const FileDescriptor& end);

/// As receive(), but does not wait: nullopt also when there is no message.
std::optional<std::string> try_receive(const FileDescriptor& end);

/// Sends "crashed <sha256>", as send().
bool send_crashed(const FileDescriptor& end, std::string_view sha256) noexcept;

/// The sha256 in "crashed <sha256>"; nullopt when the message is another one.
std::optional<std::string> crashed_plugin(std::string_view message);

}  // namespace control
}  // namespace weir
