#include "store/postgres/reconnecting_session.hpp"

#include <exception>

namespace weir::postgres {

using std::chrono::milliseconds;

Result<void> ReconnectingSession::connect() {
  if (session_ && session_->is_still_open()) return {};
  end();
  auto opened = Session::open(url_, limits_);
  if (!opened) return std::unexpected(opened.error());
  session_ = *std::move(opened);
  auto listening = session_->use([this](pqxx::connection& connection) {
    if (settings_ != nullptr) pqxx::nontransaction(connection).exec(settings_);
    for (const Channel& channel : channels_)
      receivers_.emplace_back(connection, channel.name, channel.on_notification);
  });
  if (!listening) end();
  return listening;
}

Result<pqxx::result> ReconnectingSession::query(const char* sql, const Params& params,
                                                const BinaryParams& binary) {
  if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
  auto rows = session_->query(sql, params, binary);
  if (!rows && !is_open()) end();
  return rows;
}

bool ReconnectingSession::wait(milliseconds limit, const std::function<bool()>& condition) {
  // Notifications that came with earlier answers are already in libpq's buffer, and do not make the
  // socket readable.
  if (is_open() && read_notifications(condition)) {
    wakeup_.wait(-1, milliseconds(0));  // consumes a wake(): it was meant to end this wait
    return true;
  }
  return wakeup_.wait(is_open() ? session_->connection().sock() : -1, limit) &&
         read_notifications(condition);
}

bool ReconnectingSession::read_notifications(const std::function<bool()>& condition) {
  try {
    session_->connection().get_notifs();
    return condition();
  } catch (const std::exception&) {
    end();  // broken: the next call connects again, and returns the error if it cannot
    return true;
  }
}

void ReconnectingSession::end() noexcept {
  if (!receivers_.empty()) session_->drop();  // else each would say to the server that it ends
  receivers_.clear();
  session_.reset();
}

}  // namespace weir::postgres
