#include "store/postgres/event_feed.hpp"

#include <utility>

#include "store/postgres/notification_receiver.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* events_channel = "weir_events";
constexpr const char* listen_call = "select weir.listen($1::bigint, $2::bigint)";
constexpr const char* listen_no_more_call = "select weir.listen_no_more($1::bigint)";

class PostgresEventFeed final : public EventFeed {
 public:
  PostgresEventFeed() = default;
  PostgresEventFeed(const PostgresEventFeed&) = delete;
  PostgresEventFeed& operator=(const PostgresEventFeed&) = delete;

  ~PostgresEventFeed() override {
    // If this fails, the row in weir.listening expires.
    if (id_ && session_->is_open()) std::ignore = session_->query(listen_no_more_call, {id_});
    if (session_) session_->drop();
  }

  Result<void> open(const std::string& url) {
    auto opened = Session::open(url);
    if (!opened) return std::unexpected(opened.error());
    session_ = *std::move(opened);
    const auto listening = session_->use([&](pqxx::connection& connection) {
      receiver_.emplace(connection, events_channel,
                        [this](std::string_view payload) { received_.emplace_back(payload); });
    });
    if (!listening) return std::unexpected(listening.error());
    return register_listener();
  }

  Result<std::vector<std::string>> next(std::chrono::milliseconds patience,
                                        WakeupEvent& wakeup) override {
    if (Clock::now() >= renew_at_)
      if (const auto registered = register_listener(); !registered)
        return std::unexpected(registered.error());
    if (received_.empty()) wakeup.wait(session_->connection().sock(), patience);
    const auto got = session_->use([](pqxx::connection& connection) { connection.get_notifs(); });
    if (!got) return std::unexpected(got.error());
    return std::exchange(received_, {});
  }

 private:
  Result<void> register_listener() {
    const auto registered =
        session_->query(listen_call, {id_, std::to_string(registration_lifetime.count())});
    if (!registered) return std::unexpected(registered.error());
    id_ = (*registered)[0][0].as<std::string>();
    renew_at_ = Clock::now() + registration_lifetime / 3;
    return {};
  }

  std::unique_ptr<Session> session_;
  std::vector<std::string> received_;
  std::optional<NotificationReceiver> receiver_;  // after the members that it uses
  std::optional<std::string> id_;                 // of our row in weir.listening
  Clock::time_point renew_at_{};
};

}  // namespace

Result<std::unique_ptr<EventFeed>> EventFeed::open(const std::string& url) {
  auto feed = std::make_unique<PostgresEventFeed>();
  if (const auto opened = feed->open(url); !opened) return std::unexpected(opened.error());
  return feed;
}

}  // namespace weir::postgres
