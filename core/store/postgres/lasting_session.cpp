#include "store/postgres/lasting_session.hpp"

#include <exception>

namespace weir::postgres {

using std::chrono::milliseconds;

Result<void> LastingSession::connect() {
  if (is_open()) return {};
  end();
  auto opened = Session::open(url_);
  if (!opened) return std::unexpected(opened.error());
  session_ = *std::move(opened);
  auto listening = session_->use([this](pqxx::connection& connection) {
    for (const Channel& channel : channels_)
      ears_.emplace_back(connection, channel.name, channel.heard);
  });
  if (!listening) end();
  return listening;
}

Result<pqxx::result> LastingSession::query(const char* sql, const Params& params) {
  if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
  auto rows = session_->query(sql, params);
  if (!rows && !is_open()) end();
  return rows;
}

bool LastingSession::wait(milliseconds limit, const std::function<bool()>& enough) {
  // Notifications that came with earlier answers are already in libpq's buffer, and do not make the
  // socket readable.
  if (is_open() && hear(enough)) {
    doorbell_.wait(-1, milliseconds(0));  // consumes a ring: it was meant to end this wait
    return true;
  }
  return doorbell_.wait(is_open() ? session_->connection().sock() : -1, limit) && hear(enough);
}

bool LastingSession::hear(const std::function<bool()>& enough) {
  try {
    session_->connection().get_notifs();
    return enough();
  } catch (const std::exception&) {
    end();  // broken: the next call connects again, and returns the error if it cannot
    return true;
  }
}

void LastingSession::end() noexcept {
  ears_.clear();
  session_.reset();
}

}  // namespace weir::postgres
