/* weir/abi/settle.h: a step that completes in a transaction of its own: its effects and the
 * attempt's end commit together, so they happen exactly once. The extension WEIR_SETTLE_V1 of
 * weir_host.extension(), which gives a `const weir_settle*`. Pure C99.
 *
 * The handler asks for the SQL text that settles its own attempt with an output, runs that text as
 * the last statement of its transaction, on its own connection to the database that Weir's tables
 * are in (with any client library and any client encoding), commits, and then returns WEIR_OK with
 * some output, which is ignored. Once a handler has asked, only what is committed counts: a
 * failure, a timeout or a crash after the commit changes nothing any more; WEIR_OK without a commit
 * is a failed attempt, `not_settled`. If the attempt has ended meanwhile (its timeout passed, its
 * run was cancelled, its worker was taken for dead), the text fails when it is run, and the
 * transaction with it.
 *
 * Threads: as everything of weir_host.
 */
#ifndef WEIR_ABI_SETTLE_H
#define WEIR_ABI_SETTLE_H

#include <weir/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_SETTLE_V1 "weir.settle.v1"

typedef struct weir_settle {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */

  /* Gives the text for this output, one JSON text: *sql is valid until `run` returns. Returns
   * WEIR_OK; or WEIR_FAILED_FOR_GOOD when there is none, and then *sql says why: such an output may
   * not be returned, or steps of this host cannot settle (they run in processes of their own); or
   * WEIR_CANCELLED when the attempt has ended. */
  int32_t (*settlement)(weir_call*, weir_str output, weir_str* sql);
} weir_settle;

#ifdef __cplusplus
}
#endif
#endif
