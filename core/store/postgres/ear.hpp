#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <pqxx/pqxx>

namespace weir::postgres {

/// Receives the notifications of one channel while it exists; it must be destroyed before its
/// connection. `heard` is called inside calls of the connection, mainly get_notifs().
class Ear final : public pqxx::notification_receiver {
 public:
  using Heard = std::function<void(std::string_view payload)>;

// Deprecated since libpqxx 7.10, whose listen() the older versions do not have.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  Ear(pqxx::connection& connection, const char* channel, Heard heard)
      : pqxx::notification_receiver(connection, channel), heard_(std::move(heard)) {}
#pragma GCC diagnostic pop

  void operator()(const std::string& payload, int) override { heard_(payload); }

 private:
  const Heard heard_;
};

}  // namespace weir::postgres
