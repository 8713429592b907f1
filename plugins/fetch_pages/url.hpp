#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace fetch_pages {

/// Where a page is, and what to ask for there.
struct Url {
  std::string host;  ///< a name or an address, an IPv6 address without its brackets
  std::string port;
  std::string target;  ///< path and query

  /// The host and, unless it is 80, the port, as a Host field and a URL have them.
  std::string authority() const;
  std::string text() const { return "http://" + authority() + target; }

  friend bool operator==(const Url&, const Url&) = default;
};

/// At most 200 characters of a text of unknown encoding, with ? for what is not printable ASCII.
std::string shown(std::string_view text);

/// Reads an absolute http URL; its fragment is left out. The error says what is wrong, with the text.
std::expected<Url, std::string> parse_url(std::string_view text);

/// What a Location means in an answer of `base`: an absolute URL, or one relative to that.
std::expected<Url, std::string> located(const Url& base, std::string_view location);

}  // namespace fetch_pages
