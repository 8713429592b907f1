#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "base/error.hpp"
#include "store/postgres/connection_string.hpp"
#include "store/postgres/notice_receiver.hpp"

namespace weir::postgres {

/// Parameters as text; nullopt is NULL.
using Params = std::vector<std::optional<std::string>>;
/// Parameters in PostgreSQL's binary format, such as a BinaryArray. Those of a statement are numbered
/// after its Params.
using BinaryParams = std::vector<std::string>;

/// One connection, with our settings. The only place where pqxx's exceptions become Errors.
/// [one thread at a time]
class Session {
 public:
  /// Errors: unavailable (away, access denied, a server older than 14, a pooler that gives each
  /// transaction another session).
  static Result<std::unique_ptr<Session>> open(const std::string& url, NetworkLimits limits = {});

  /// Runs one statement, committed by itself; it is prepared when first used (`sql` must outlive
  /// the session: a literal). Errors by SQLSTATE; unavailable when the connection broke: then
  /// is_open() is false. A statement whose plan has become stale, because `weir migrate` replaced
  /// what it uses, is planned and run once more.
  Result<pqxx::result> query(const char* sql, const Params& params = {},
                             const BinaryParams& binary = {});

  /// Runs `work` inside a transaction and commits; an exception rolls everything back.
  Result<void> transact(const std::function<void(pqxx::work&)>& work);

  /// Runs `body` outside any transaction: for calls of the connection itself. Errors: as query().
  Result<void> use(const std::function<void(pqxx::connection&)>& body);

  bool is_open() const noexcept { return connection_->is_open(); }

  /// Reads what came since the last call, and returns is_open(): false when the server has ended
  /// the session meanwhile, as at its restart. Notifications are received. Cost: 1 µs.
  bool is_still_open() noexcept;
  pqxx::connection& connection() noexcept { return *connection_; }

  /// Closes the connection without a farewell, for which nobody may be there: what follows on it,
  /// such as the end of a receiver, fails and does not wait.
  void drop() noexcept;

 private:
  Result<pqxx::result> query_once(const char* sql, const Params& params,
                                  const BinaryParams& binary);
  explicit Session(std::string url) : url_(std::move(url)) {}
  template <class Body>
  auto guarded(Body&& body) -> Result<decltype(body())>;

  Result<void> set_up(const std::string& connection_string);
  int apply_settings();  // returns the server's process

  std::string url_;
  std::unique_ptr<pqxx::connection> connection_;
  bool pooled_ = false;                    ///< a pooler stands between
  std::optional<NoticeReceiver> notices_;  // of the connection
  std::set<const char*> prepared_;
};

}  // namespace weir::postgres
