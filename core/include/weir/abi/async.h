/* weir/abi/async.h: a call that outlives `run`, so that waiting holds no thread. The extension
 * WEIR_ASYNC_V1 of weir_host.extension(), which gives a `const weir_async*`. Pure C99.
 *
 * The handler defers its call, hands it to whatever will complete it (an event loop, a pool of
 * threads of the plugin, a callback of a client library), and returns WEIR_PENDING. The attempt goes
 * on until complete(), or until its time is over: then it has timed out, and what comes later is
 * refused.
 *
 * A deferred call is a number and no address: it may be used at any time, also after it was
 * completed, and also by mistake: an odd number that is no pending call is refused by everything. All
 * functions of weir_host and its extensions take it. What they give, the input and resources are
 * valid until complete() is called; before that, also when the attempt is over. The call that `run`
 * was given is valid until `run` has returned, and cannot be completed; using it later, or any even
 * value that is no call, is undefined.
 *
 * The library stays loaded while it has deferred calls that it has not completed, and they keep their
 * memory and count as pending. So complete each of them, when it was stopped too. Threads of the
 * plugin must be ended by the plugin: by the destructor of a static object, which runs before the
 * code is unloaded, or of a resource (weir/abi/resources.h).
 *
 * Threads: everything may be called from any thread.
 */
#ifndef WEIR_ABI_ASYNC_H
#define WEIR_ABI_ASYNC_H

#include <weir/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_ASYNC_V1 "weir.async.v1"

/* What `run` returns once it has deferred its call. */
enum { WEIR_PENDING = 4 };

typedef struct weir_async {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */

  /* Makes the call outlive `run`, which must return WEIR_PENDING then: gives the deferred call, which
   * is used in place of the other from here on. NULL: it cannot be deferred, because it was before,
   * because this host waits for each call (it tests steps), or because as many calls as it allows are
   * pending. Then do the work before `run` returns. */
  weir_call* (*defer)(weir_call*);

  /* Ends a deferred call as a return of `run` would: result is one of WEIR_OK … WEIR_CANCELLED. It
   * may come before `run` has returned. Returns WEIR_OK; or WEIR_CANCELLED when it came too late: the
   * attempt has ended, or the call was completed before. */
  int32_t (*complete)(weir_call*, int32_t result);

  /* Has `stopped` called once when the work should stop, as cancelled() says from then on: at once on
   * this thread when it should already, else on a thread of the host. It must be quick, as others
   * wait for it: 15 s end the process. It may complete the call, and works for it as between enter()
   * and leave(). It is not called and does not run any more once complete() or the next on_stop() has
   * returned on another thread, unless it has completed the call itself. NULL: nothing is called.
   * Returns WEIR_OK; or WEIR_CANCELLED, and calls nothing, when the deferred call is over. */
  int32_t (*on_stop)(weir_call*, void (*stopped)(void* user), void* user);

  /* Between these two this thread works for the deferred call: when it crashes, that attempt is
   * charged, and no other. Pairs may be nested. What crashes outside of all of them is charged to no
   * attempt, and counted against the plugin alone. */
  void (*enter)(weir_call*);
  void (*leave)(weir_call*);
} weir_async;

#ifdef __cplusplus
}
#endif
#endif
