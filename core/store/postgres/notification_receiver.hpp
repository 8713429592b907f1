#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <pqxx/pqxx>

namespace weir::postgres {

/// Receives the notifications of one channel while it exists; it must be destroyed before its
/// connection. `on_notification` is called inside calls of the connection, mainly get_notifs().
class NotificationReceiver final : public pqxx::notification_receiver {
 public:
  using OnNotification = std::function<void(std::string_view payload)>;

// Deprecated since libpqxx 7.10, whose listen() the older versions do not have.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  NotificationReceiver(pqxx::connection& connection, const char* channel,
                       OnNotification on_notification)
      : pqxx::notification_receiver(connection, channel),
        on_notification_(std::move(on_notification)) {}
#pragma GCC diagnostic pop

  void operator()(const std::string& payload, int) override { on_notification_(payload); }

 private:
  const OnNotification on_notification_;
};

}  // namespace weir::postgres
