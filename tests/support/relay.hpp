#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

#include "support/temporary_folder.hpp"

namespace weir::testing {

/// What a URL says, such as "host". Throws std::runtime_error when it says nothing.
std::string connection_option(const std::string& url, std::string_view keyword);

/// Stands between programs and a server of PostgreSQL, as a network does, on a socket of its own.
class Relay {
 public:
  enum class State {
    open,
    silent,  ///< takes connections and what is sent on them, and gives nothing to anybody
    cut,     ///< ends all connections, and every new one at once
  };

  /// Relays to the server of the URL, which has a unix socket.
  explicit Relay(const std::string& url);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  /// The URL by way of it.
  const std::string& url() const { return url_; }

  /// What was sent while it was silent is passed on when it opens.
  void set(State state) { state_ = state; }

  /// How many it has taken.  [any thread]
  std::size_t connections() const { return connections_; }

 private:
  void run(const std::stop_token& stop);

  TemporaryFolder folder_;
  std::string url_, server_;
  int listening_ = -1;
  std::atomic<State> state_ = State::open;
  std::atomic<std::size_t> connections_ = 0;
  std::jthread thread_;
};

}  // namespace weir::testing
