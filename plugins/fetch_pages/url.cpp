#include "url.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <vector>

namespace fetch_pages {
namespace {

constexpr std::string_view scheme = "http://";
constexpr std::size_t longest_url = 8 * 1024;

std::unexpected<std::string> refused(std::string_view text, std::string_view why) {
  return std::unexpected("\"" + shown(text) + "\" " + std::string(why));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What would end the line or the word that a request has it in, or be read in more than one way.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
}

// The scheme of an absolute URL, in lower case; empty for a relative one.
std::string scheme_of(std::string_view text) {
  const std::size_t colon = text.find_first_of(":/?#");
  if (colon == text.npos || text[colon] != ':' || colon == 0 || !is_letter(text[0])) return {};
  std::string lower(text.substr(0, colon));
  for (char& c : lower)
    if (is_letter(c)) c = static_cast<char>(c | 0x20);
  return lower;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_host(std::string_view text, bool is_in_brackets) {
  if (text.empty() || text.size() > 255) return false;
  return std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || is_digit(c) || c == '.' ||
           (is_in_brackets ? c == ':' : c == '-' || c == '_');
  });
}

// Without "." and ".." in its path.
std::string without_dots(std::string_view target) {
  const std::size_t end = std::min(target.find('?'), target.size());
  std::vector<std::string_view> parts;
  bool ends_in_folder = false;
  for (std::size_t at = 1; at <= end;) {
    const std::size_t slash = std::min(target.find('/', at), end);
    const std::string_view part = target.substr(at, slash - at);
    ends_in_folder = part == "." || part == "..";
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!ends_in_folder) parts.push_back(part);
    at = slash + 1;
  }
  std::string path;
  for (const std::string_view part : parts) path.append("/").append(part);
  if (path.empty() || ends_in_folder) path += "/";
  return path.append(target.substr(end));
}

}  // namespace

std::string shown(std::string_view text) {
  std::string all(text.substr(0, 200));
  for (char& c : all)
    if (c < ' ' || c > '~') c = '?';
  return all;
}

std::string Url::authority() const {
  const std::string name = host.contains(':') ? "[" + host + "]" : host;
  return port == "80" ? name : name + ":" + port;
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  if (text.size() > longest_url) return refused(text, "is longer than 8 KiB");
  if (!is_plain(text)) return refused(text, "has a character that no URL has: encode it as %XX");
  const std::string is = scheme_of(text);
  if (is == "https")
    return refused(text, "is https, which this flow cannot fetch: it is built without TLS");
  if (is != "http" || !text.substr(5).starts_with("//"))
    return refused(text, "is no URL that begins with http://");
  text = text.substr(0, text.find('#'));
  const std::string_view rest = text.substr(scheme.size());
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  if (authority.contains('@')) return refused(text, "names a user, which is not supported");
  const bool is_in_brackets = authority.starts_with('[');
  std::string_view host, port = "80";
  if (is_in_brackets) {
    const std::size_t close = authority.find(']');
    if (close == authority.npos) return refused(text, "has no ] after [");
    host = authority.substr(1, close - 1);
    authority = authority.substr(close + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    authority = authority.substr(host.size());
  }
  if (authority.size() > 1) port = authority.substr(1);
  if ((!authority.empty() && authority[0] != ':') || !is_port(port))
    return refused(text, "has no port from 1 to 65535 after its host");
  if (!is_host(host, is_in_brackets)) return refused(text, "has no valid host");
  std::string target(rest.substr(end));
  if (!target.starts_with('/')) target.insert(0, "/");
  return Url{std::string(host), std::string(port), std::move(target)};
}

std::expected<Url, std::string> located(const Url& base, std::string_view location) {
  if (!scheme_of(location).empty()) return parse_url(location);
  if (location.starts_with("//")) return parse_url("http:" + std::string(location));
  const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
  std::string target(location.substr(0, location.find('#')));
  if (target.empty())
    target = base.target;
  else if (target.starts_with('?'))
    target.insert(0, path);
  else if (!target.starts_with('/'))
    target.insert(0, path.substr(0, path.rfind('/') + 1));
  return parse_url(std::string(scheme) + base.authority() + without_dots(target));
}

}  // namespace fetch_pages
