#pragma once
#include <memory>

#include <pqxx/pqxx>

namespace weir::postgres {

/// Receives the notices of one connection, which must outlive it.
class NoticeReceiver {
 public:
  explicit NoticeReceiver(pqxx::connection& connection);
  ~NoticeReceiver();
  NoticeReceiver(const NoticeReceiver&) = delete;
  NoticeReceiver& operator=(const NoticeReceiver&) = delete;

 private:
  class Handler;
  std::unique_ptr<Handler> handler_;
};

}  // namespace weir::postgres
