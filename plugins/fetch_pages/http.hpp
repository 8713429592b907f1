#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "url.hpp"

namespace fetch_pages {

/// What a server answered.
struct Answer {
  int status = 0;
  std::string reason;       ///< "Not Found"
  std::string type;         ///< the fields Content-Type,
  std::string location;     ///< Location,
  std::string retry_after;  ///< Retry-After
  std::string date;         ///< and Date, empty when it has none
  std::string body;
};

/// A page that cannot be had.
class Trouble : public std::runtime_error {
 public:
  enum class Passes : bool { no, yes };

  /// `passes`: another attempt may fare better; after `delay`, if the server said so.
  Trouble(Passes passes, const std::string& what,
          std::optional<std::chrono::seconds> delay = std::nullopt)
      : std::runtime_error(what), passes_(passes), delay_(delay) {}

  bool passes() const noexcept { return passes_ == Passes::yes; }
  std::optional<std::chrono::seconds> delay() const noexcept { return delay_; }

 private:
  Passes passes_;
  std::optional<std::chrono::seconds> delay_;
};

struct Limits {
  std::chrono::milliseconds time;  ///< from the look-up of the name to the last byte
  std::uint64_t body;              ///< bytes
};

/// One request over a connection of its own. Throws Trouble for whatever answer does not come whole;
/// what it waits for can be cancelled, but for the look-up of a name.
boost::asio::awaitable<Answer> get(Url url, Limits limits);

}  // namespace fetch_pages
