#pragma once
#include <cstddef>
#include <string>

#include <fmt/core.h>

#include "support/admin_session.hpp"
#include "support/eventually.hpp"

namespace weir::testing {

/// Whoever writes an output of more than `bytes` bytes to the journal or to a run waits at it while
/// it is closed.
class OutputGate {
 public:
  OutputGate(const std::string& url, std::size_t bytes) : user_(url), looker_(url) {
    user_.run("create table public.gate (n int)");
    for (const char* const table : {"journal", "run"})
      user_.run(fmt::format(
          "create function public.wait_{0}() returns trigger language plpgsql as $$ begin if "
          "octet_length(new.output::text) > {1} then lock table public.gate in share mode; end if; "
          "return new; end $$; create trigger wait before insert or update on weir.{0} for each "
          "row execute function public.wait_{0}()",
          table, bytes));
  }

  void close() {
    user_.run("begin");
    user_.run("lock table public.gate");
  }
  void open() { user_.run("commit"); }

  /// Ends the sessions that wait at it.
  void end_waiting() {
    looker_.run(
        "select pg_terminate_backend(pid)::text from pg_locks where relation = "
        "'public.gate'::regclass and not granted");
  }

  /// Whether somebody comes to wait at it.
  bool is_waited_at() {
    return eventually([&] {
      return looker_
                 .run(
                     "select count(*)::text from pg_locks where relation = "
                     "'public.gate'::regclass and not granted")
                 .front() == "1";
    });
  }

 private:
  AdminSession user_, looker_;
};

}  // namespace weir::testing
