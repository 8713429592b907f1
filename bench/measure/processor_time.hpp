#pragma once
#include <sys/types.h>

namespace weir::bench {

/// What the processors of this machine have done so far, in seconds: differences of two are of use.
struct ProcessorTime {
  double server = 0;   ///< a PostgreSQL server: all of its processes, ended ones included
  double own = 0;      ///< this process and its children that have ended
  double machine = 0;  ///< whatever ran on this machine
};

/// `server` is the server's main process; 0: no server is measured. To 10 ms.  [any thread]
ProcessorTime processor_time(pid_t server);

/// The main process of the server that `backend`, a session's process on this machine, belongs to.
/// 0: there is no such process.
pid_t server_of_backend(pid_t backend);

/// The memory of a process in bytes, now and the most that it was.
struct Memory {
  double now = 0, most = 0;
};

/// 0 where there is no such process.
Memory resident_memory(pid_t process);

}  // namespace weir::bench
