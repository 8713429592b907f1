/* weir/abi/plugin.h: everything that is passed between Weir and a plugin. Pure C99, with no code of
 * Weir behind it.
 *
 * A plugin is a shared library that exports ONE constant object, `weir_plugin_v1`, built at compile
 * time: data, not code, so nothing of the plugin runs to read it. The same manifest is in an ELF
 * note (section .note.weir, name "Weir", type 1), so that `weir plugins lint` and `weir flows list`
 * read a file without loading it.
 *
 * Rules
 * - The major must be the same, else the plugin is refused. A minor adds members at the end of
 *   structs; check struct_size before you read a member that is newer than 1.0.
 * - Strings are (data, size), UTF-8, not NUL-terminated. JSON is passed as bytes.
 * - What one side allocates it also frees: the host copies what you give it before the call
 *   returns, and what it gives you is valid until your `run` returns.
 * - No C++ type and no exception may be passed. The C++ SDK (weir/flow.hpp) takes care of that.
 *
 * Threads: `run` is called from any of the host's threads, several at once, also for the same step.
 */
#ifndef WEIR_ABI_PLUGIN_H
#define WEIR_ABI_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_ABI_MAGIC UINT64_C(0x314E474C50524957) /* "WIRPLGN1" in memory, little endian */
#define WEIR_ABI_MAJOR 1u
#define WEIR_ABI_MINOR 0u

#define WEIR_NOTE_NAME "Weir"
#define WEIR_NOTE_TYPE 1u

typedef struct weir_str {
  const char* data;
  size_t size;
} weir_str;

/* One execution of `run`; owned by the host, valid until `run` returns. */
typedef struct weir_call weir_call;

/* What `run` returns; the two failures are also the kinds given to `fail`. A failure without a call
 * of `fail` has no reason. */
enum {
  WEIR_OK = 0,              /* output() was called exactly once */
  WEIR_FAILED = 1,          /* retry, as the step's options say */
  WEIR_FAILED_FOR_GOOD = 2, /* do not retry */
  WEIR_CANCELLED = 3        /* stopped because cancelled() said so */
};

enum { WEIR_LOG_DEBUG = 0, WEIR_LOG_INFO = 1, WEIR_LOG_WARN = 2, WEIR_LOG_ERROR = 3 };

/* What the host offers during a call. Every function may be used from any thread until `run`
 * returns. */
typedef struct weir_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;

  /* The step's result: one JSON text. Returns 0, or nonzero when there was an output already. */
  int32_t (*output)(weir_call*, weir_str json);

  /* Why the step failed: kind is WEIR_FAILED or WEIR_FAILED_FOR_GOOD, code a short stable word,
   * message a sentence. retry_after_ms > 0 asks for the next attempt after that time instead of the
   * usual backoff. Returns 0, or nonzero when a failure was given already: the first one counts. */
  int32_t (*fail)(weir_call*, int32_t kind, weir_str code, weir_str message,
                  uint64_t retry_after_ms);

  void (*log)(weir_call*, int32_t level, weir_str message);

  /* Returns 1 once the work should stop: its timeout passed, its run was cancelled or the worker
   * shuts down. Cheap: call it often. */
  int32_t (*cancelled)(weir_call*);

  /* Facts about the call: "run_id", "flow", "step", "attempt" (from 1), "task_index" (from 0),
   * "flow_input" (the run's input, JSON), "max_output_bytes" (the limit of output()). An unknown
   * key gives {NULL, 0}. */
  weir_str (*get)(weir_call*, weir_str key);

  /* A further table of functions, by name; NULL when this host has none of that name. */
  const void* (*extension)(const struct weir_host*, weir_str id);
} weir_host;

typedef struct weir_step {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  weir_str slug;
  /* input is the task's input, JSON: for a step without dependencies the run's input, for a map's
   * task its element, else {dependency: output}. Returns one of WEIR_OK …; must not throw. NULL for
   * a step of the kind wait or flow, which has no code, and for no other. */
  int32_t (*run)(const weir_host*, weir_call*, weir_str input, void* user);
  void* user;
} weir_step;

typedef struct weir_flow {
  uint32_t struct_size;
  uint32_t step_count;    /* 1 … 1024 */
  weir_str module;        /* "shop.OrderTotals" */
  weir_str slug;          /* "order_totals" */
  const weir_step* steps; /* step_count of them, step_stride bytes apart, in the manifest's order */
  uint32_t step_stride;
  uint32_t reserved; /* 0 */
} weir_flow;

typedef struct weir_plugin {
  uint64_t magic;       /* WEIR_ABI_MAGIC */
  uint32_t struct_size; /* sizeof(weir_plugin) */
  uint16_t abi_major, abi_minor;
  weir_str name;     /* "order_totals" */
  weir_str version;  /* the author's, free text: "1.4.0" */
  weir_str manifest; /* the same bytes as in the note */
  const weir_flow* flows;
  uint32_t flow_count; /* 1 … 256 */
  uint32_t flow_stride;
  weir_str build_info; /* the compiler, for people to read */
} weir_plugin;

#if defined(__GNUC__)
#define WEIR_EXPORT __attribute__((visibility("default")))
#else
#define WEIR_EXPORT
#endif

/* The definition symbol. */
#define WEIR_PLUGIN_SYMBOL "weir_plugin_v1"
extern WEIR_EXPORT const weir_plugin weir_plugin_v1;

#ifdef __cplusplus
}
#endif
#endif
