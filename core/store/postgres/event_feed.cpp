#include "store/postgres/event_feed.hpp"

#include <utility>

#include "store/postgres/ear.hpp"
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
  }

  Result<void> open(const std::string& url) {
    auto opened = Session::open(url);
    if (!opened) return std::unexpected(opened.error());
    session_ = *std::move(opened);
    const auto listening = session_->use([&](pqxx::connection& connection) {
      ear_.emplace(connection, events_channel,
                   [this](std::string_view payload) { heard_.emplace_back(payload); });
    });
    if (!listening) return std::unexpected(listening.error());
    return say();
  }

  Result<std::vector<std::string>> next(std::chrono::milliseconds patience,
                                        Doorbell& bell) override {
    if (Clock::now() >= say_again_)
      if (const auto said = say(); !said) return std::unexpected(said.error());
    if (heard_.empty()) bell.wait(session_->connection().sock(), patience);
    const auto got = session_->use([](pqxx::connection& connection) { connection.get_notifs(); });
    if (!got) return std::unexpected(got.error());
    return std::exchange(heard_, {});
  }

 private:
  Result<void> say() {
    const auto said = session_->query(listen_call, {id_, std::to_string(said_for.count())});
    if (!said) return std::unexpected(said.error());
    id_ = (*said)[0][0].as<std::string>();
    say_again_ = Clock::now() + said_for / 3;
    return {};
  }

  std::unique_ptr<Session> session_;
  std::vector<std::string> heard_;
  std::optional<Ear> ear_;         // after the members that it uses
  std::optional<std::string> id_;  // of our row in weir.listening
  Clock::time_point say_again_{};
};

}  // namespace

Result<std::unique_ptr<EventFeed>> EventFeed::open(const std::string& url) {
  auto feed = std::make_unique<PostgresEventFeed>();
  if (const auto opened = feed->open(url); !opened) return std::unexpected(opened.error());
  return feed;
}

}  // namespace weir::postgres
