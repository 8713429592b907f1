#include "support/relay.hpp"

#include <cstring>
#include <list>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace weir::testing {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int socket_of() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

struct Pair {
  int client = -1, server = -1;
  ~Pair() {
    ::close(client);
    ::close(server);
  }
};

// False when that side has ended.
bool pass_on(int from, int to) {
  char buffer[65536];
  const ssize_t count = ::recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count <= 0) return count < 0 && errno == EAGAIN;
  for (ssize_t sent = 0; sent < count;) {
    const ssize_t now =
        ::send(to, buffer + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
    if (now < 0) return false;
    sent += now;
  }
  return true;
}

}  // namespace

std::string connection_option(const std::string& url, std::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(url.c_str(), nullptr), PQconninfoFree);
  for (const PQconninfoOption* each = options.get(); each != nullptr && each->keyword != nullptr;
       ++each)
    if (each->keyword == keyword && each->val != nullptr) return each->val;
  throw std::runtime_error("no " + std::string(keyword) + " in " + url);
}

Relay::Relay(const std::string& url) {
  const std::string name = "/.s.PGSQL." + connection_option(url, "port");
  server_ = connection_option(url, "host") + name;
  url_ = url + "&host=" + folder_.path().string();
  const sockaddr_un address = address_of(folder_.path().string() + name);
  listening_ = socket_of();
  if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listening_, 64) != 0)
    throw std::runtime_error("the relay cannot listen");
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Relay::~Relay() {
  thread_.request_stop();
  thread_.join();
  ::close(listening_);
}

void Relay::run(const std::stop_token& stop) {
  std::list<Pair> pairs;
  const sockaddr_un server = address_of(server_);
  while (!stop.stop_requested()) {
    const State state = state_;
    if (state == State::cut) pairs.clear();
    std::vector<pollfd> sources = {{.fd = listening_, .events = POLLIN, .revents = 0}};
    if (state == State::open)
      for (const Pair& pair : pairs)
        for (const int fd : {pair.client, pair.server})
          sources.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    ::poll(sources.data(), sources.size(), 20);
    if (state == State::open) {
      auto source = sources.begin() + 1;
      for (auto pair = pairs.begin(); pair != pairs.end();) {
        const bool client_goes_on = (source++)->revents == 0 || pass_on(pair->client, pair->server);
        const bool server_goes_on = (source++)->revents == 0 || pass_on(pair->server, pair->client);
        pair = client_goes_on && server_goes_on ? std::next(pair) : pairs.erase(pair);
      }
    }
    if (sources[0].revents == 0) continue;
    ++connections_;
    Pair& pair = pairs.emplace_back();
    pair.client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    pair.server = socket_of();
    if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
      pairs.pop_back();
  }
}

}  // namespace weir::testing
