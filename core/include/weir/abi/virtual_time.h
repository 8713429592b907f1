/* weir/abi/virtual_time.h: waits that take no time, where steps are tested. The extension
 * WEIR_VIRTUAL_TIME_V1 of weir_host.extension(), which gives a `const weir_virtual_time*`. Pure C99.
 *
 * A host that runs flows in virtual time has it (FlowRunner, `weir plugins try`, `weir plugins replay`);
 * a worker does not, so no plugin may require it. Such a host defers no call: a handler that would
 * defer its call to wait (weir/abi/async.h) lets the time pass instead, and goes on at once.
 *
 * Threads: as everything of weir_host. An attempt has one virtual time: waits that several of its
 * threads let pass are added up.
 */
#ifndef WEIR_ABI_VIRTUAL_TIME_H
#define WEIR_ABI_VIRTUAL_TIME_H

#include <weir/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_VIRTUAL_TIME_V1 "weir.virtual_time.v1"

typedef struct weir_virtual_time {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */

  /* The attempt takes that much longer, without waiting. Returns WEIR_OK; or WEIR_CANCELLED when the
   * work should stop, as cancelled() says from then on: it should already, and no time passed; or
   * the attempt's timeout is reached meanwhile, and only the time until then passed. */
  int32_t (*pass)(weir_call*, uint64_t nanoseconds);
} weir_virtual_time;

#ifdef __cplusplus
}
#endif
#endif
