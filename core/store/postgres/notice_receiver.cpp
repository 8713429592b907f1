#include "store/postgres/notice_receiver.hpp"

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "store/postgres/notice_log.hpp"

namespace weir::postgres {
namespace {

std::mutex mutex;
std::shared_ptr<Log> kept_log;  // under mutex

void receive(std::string_view notice) noexcept {
  while (!notice.empty() && notice.back() == '\n') notice.remove_suffix(1);
  // libpqxx passes on remarks of its own too, such as on a connection that is lost. What the server
  // says has its severity before it, in the server's language; sessions let it say warnings only.
  const bool is_of_server = notice.find(":  ") != std::string_view::npos;
  std::shared_ptr<Log> log;
  {
    const std::scoped_lock lock(mutex);
    log = kept_log;
  }
  if (log)
    log->log(is_of_server ? LogLevel::info : LogLevel::debug, "database: {}", notice);
  else if (is_of_server)
    std::fprintf(stderr, "%.*s\n", static_cast<int>(notice.size()), notice.data());
}

}  // namespace

void log_notices(std::shared_ptr<Log> log) {
  const std::scoped_lock lock(mutex);
  kept_log = std::move(log);
}

#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
class NoticeReceiver::Handler {
 public:
  explicit Handler(pqxx::connection& connection) {
    connection.set_notice_handler([](pqxx::zview notice) noexcept { receive(notice); });
  }
};
#else
class NoticeReceiver::Handler : public pqxx::errorhandler {
 public:
  explicit Handler(pqxx::connection& connection) : pqxx::errorhandler(connection) {}
  bool operator()(const char notice[]) noexcept override {
    receive(notice);
    return false;  // no other handler receives it
  }
};
#endif

NoticeReceiver::NoticeReceiver(pqxx::connection& connection)
    : handler_(std::make_unique<Handler>(connection)) {}
NoticeReceiver::~NoticeReceiver() = default;

}  // namespace weir::postgres
