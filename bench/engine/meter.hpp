#pragma once
#include <string>

#include <sys/types.h>

#include "bench/engine/figures.hpp"
#include "bench/engine/serving.hpp"
#include "bench/measure/processor_time.hpp"

namespace weir::bench {

/// Measures what work costs the server of a session, which is on this machine, and this process.
class Meter {
 public:
  /// `admin` must outlive it; nobody else may write on that server while it measures.
  explicit Meter(postgres::Session& admin);

  /// Everything since it was made, by task.
  Figures figures(double tasks) const;

  /// Pages and rows that sessions of its database touched since it was made, by task; complete once
  /// those have ended (wait_until_alone()).
  Figures touched(double tasks) const;

 private:
  struct Counts {
    double log_bytes = 0, transactions = 0;
  };
  Counts counts() const;
  struct Touched {
    double buffers = 0, rows_read = 0, rows_written = 0;
  };
  Touched touched() const;

  postgres::Session& admin_;
  pid_t server_;
  Counts counts_;
  Touched touched_;
  ProcessorTime processors_;
  Clock::time_point began_;
};

/// Vacuums and writes a checkpoint, so that neither falls into what is measured next, nor what the
/// session itself has read before.
void settle(postgres::Session& admin);

/// "PostgreSQL 15.14", of a session's server.
std::string server_version(postgres::Session& session);

/// Waits until its database has no other session: what those read is counted when they end.
void wait_until_alone(postgres::Session& admin);

}  // namespace weir::bench
