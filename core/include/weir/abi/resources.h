/* weir/abi/resources.h: what is dear to open, opened once in a worker process and shared by its
 * steps: a clone, a model, a pool of connections. The extension WEIR_RESOURCES_V1 of
 * weir_host.extension(), which gives a `const weir_resources*`. Pure C99.
 *
 * A resource belongs to the very file of the plugin that made it (two versions of a plugin share
 * none) and has a name there. It lives until the worker ends, or until it is
 * discarded and no call uses it any more; the plugin stays loaded for as long.
 *
 * Threads: as everything of weir_host; and a resource is used by several calls at once.
 */
#ifndef WEIR_ABI_RESOURCES_H
#define WEIR_ABI_RESOURCES_H

#include <weir/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_RESOURCES_V1 "weir.resources.v1"

/* One start of a resource; owned by the host, valid until `create` returns. */
typedef struct weir_start weir_start;

/* How to make a resource and how to end it: code of the plugin. Neither may throw. */
typedef struct weir_maker {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */

  /* Returns the resource, or NULL after it has said why through weir_resources.refuse. Called on
   * the thread that asks first; whoever else asks meanwhile waits and gets the same. It may acquire
   * other resources, but none that needs this one. */
  void* (*create)(weir_start*, void* user);

  /* Ends what create returned, once, on any thread, when no call uses it any more. */
  void (*destroy)(void* resource);

  void* user; /* for create alone */

  /* Tells resources of one name and different kinds apart: any address of the plugin's own, or
   * NULL. Another type is another resource. */
  const void* type;
} weir_maker;

/* What acquire says. Set struct_size before. */
typedef struct weir_acquired {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  void* resource;    /* valid until `run` returns; NULL when there is none */
  weir_str code;     /* of a failure: a short stable word, */
  weir_str message;  /* and a sentence; both valid until `run` returns */
} weir_acquired;

typedef struct weir_resources {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */

  /* The resource of that name, made with `maker` when there is none. WEIR_OK; or WEIR_FAILED, when
   * it could not be made, and everybody who waited is told the same: the next one to ask tries
   * again; or WEIR_CANCELLED, when the call was to stop while it waited for another's start. */
  int32_t (*acquire)(weir_call*, weir_str name, const weir_maker* maker, weir_acquired* acquired);

  /* Inside create: why there will be no resource. The first one counts. */
  void (*refuse)(weir_start*, weir_str code, weir_str message);

  /* It is broken: no later acquire gives it again, the next one makes it anew. Calls that have it
   * keep it until they return. Does nothing for what this call has not acquired. */
  void (*discard)(weir_call*, const void* resource);
} weir_resources;

#ifdef __cplusplus
}
#endif
#endif
