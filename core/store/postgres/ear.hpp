#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <pqxx/pqxx>

namespace weir::postgres {

/// Hears one channel, from when it is made until it ends, which must be before its connection does.
/// `heard` is called inside calls of the connection, get_notifs() first of all.
class Ear final : public pqxx::notification_receiver {
 public:
  using Heard = std::function<void(std::string_view payload)>;

  Ear(pqxx::connection& connection, const char* channel, Heard heard)
      : pqxx::notification_receiver(connection, channel), heard_(std::move(heard)) {}

  void operator()(const std::string& payload, int) override { heard_(payload); }

 private:
  const Heard heard_;
};

}  // namespace weir::postgres
