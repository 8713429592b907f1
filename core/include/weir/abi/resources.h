/* weir/abi/resources.h: what is expensive to open, opened once in a worker process and shared by
 * its steps: a clone, a model, a pool of connections. The extension WEIR_RESOURCES_V1 of
 * weir_host.extension(), which gives a `const weir_resources*`. Pure C99.
 *
 * A resource belongs to the plugin file that made it, within which it has a name; two versions of a
 * plugin share none. It lives until the worker ends, or until it is discarded and no call uses it
 * any more; the plugin stays loaded as long.
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

/* How to make a resource and how to destroy it: code of the plugin. Neither may throw. */
typedef struct weir_maker {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */

  /* Returns the resource, or NULL after giving the reason to weir_resources.refuse. Called on the
   * thread that asks first; calls that ask meanwhile wait and get the same result. It may acquire
   * other resources, but none that needs this one. */
  void* (*create)(weir_start*, void* user);

  /* Destroys what create returned, once, on any thread, when no call uses it any more. */
  void (*destroy)(void* resource);

  void* user; /* passed to create alone */

  /* Distinguishes resources of one name and different types: any address of the plugin's own, or
   * NULL. Another type is another resource. */
  const void* type;
} weir_maker;

/* The result of acquire. Set struct_size before the call. */
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

  /* The resource of that name, made with `maker` when there is none. Returns WEIR_OK; or
   * WEIR_FAILED when it could not be made: every call that waited gets the same failure, and the
   * next one to ask tries again; or WEIR_CANCELLED when the call should stop while it waits for
   * another's start. */
  int32_t (*acquire)(weir_call*, weir_str name, const weir_maker* maker, weir_acquired* acquired);

  /* For use inside create: why there will be no resource. The first reason counts. */
  void (*refuse)(weir_start*, weir_str code, weir_str message);

  /* Marks a resource as broken: no later acquire returns it, the next one makes a new one. Calls
   * that have it keep it until they return. Does nothing unless this call has acquired it. */
  void (*discard)(weir_call*, const void* resource);
} weir_resources;

#ifdef __cplusplus
}
#endif
#endif
