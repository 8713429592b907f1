#pragma once
#include <memory>
#include <optional>
#include <string>

#include <libpq-fe.h>

namespace weir::postgres {

/// Another client of a pooler, for a moment: its questions get an answer or not, and wait no longer
/// than a second for one, because a pool may have no session left for it. Its notices are
/// discarded.  [one thread at a time]
class SecondClient {
 public:
  explicit SecondClient(const std::string& connection_string);

  /// The process of the server that answers; nullopt: none did in time. Then nothing more is asked.
  std::optional<int> server_process();

 private:
  bool is_answered();

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace weir::postgres
