/* A step that answers later, in plain C: each number of milliseconds after that many milliseconds.
 * However many calls wait, they hold one thread, which has a heap of them. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/abi/async.h>
#include <weir/abi/note.h>
#include <weir/abi/plugin.h>
#include <weir/abi/virtual_time.h>

#define STR(literal) {literal, sizeof(literal) - 1}

static const void* extension(const weir_host* host, const char* name) {
  const weir_str id = {name, strlen(name)};
  return host->extension(host, id);
}

static int32_t fail(const weir_host* host, weir_call* call, int32_t kind, weir_str code,
                    weir_str message) {
  host->fail(call, kind, code, message, 0);
  return kind;
}

static int32_t no_memory(const weir_host* host, weir_call* call) {
  const weir_str code = STR("out_of_memory"),
                 message = STR("no memory for another call that waits");
  return fail(host, call, WEIR_FAILED, code, message);
}

/* A call that waits. From push() on it is the thread's, which completes it and frees it. */
struct wait {
  const weir_host* host;
  const weir_async* async;
  weir_call* call;
  uint64_t due; /* nanoseconds of CLOCK_MONOTONIC; 0: at once */
  size_t place; /* in the heap */
  int stopped;
  weir_str output; /* the call's input, which lives until it is completed */
};

/* The heap, its soonest wait first, and the thread that serves it: begun by the first wait, ended
 * when the library is unloaded. */
static struct {
  pthread_mutex_t mutex; /* guards the rest, and of the waits in the heap what changes */
  pthread_cond_t changed;
  struct wait** waits;
  size_t count, room;
  pthread_t thread;
  int runs, ending;
} loop = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void put(size_t place, struct wait* wait) {
  loop.waits[place] = wait;
  wait->place = place;
}

static void sift_up(size_t place) {
  struct wait* const wait = loop.waits[place];
  for (; place > 0 && wait->due < loop.waits[(place - 1) / 2]->due; place = (place - 1) / 2)
    put(place, loop.waits[(place - 1) / 2]);
  put(place, wait);
}

static struct wait* pop(void) {
  struct wait* const first = loop.waits[0];
  struct wait* const last = loop.waits[--loop.count];
  size_t place = 0;
  for (size_t child; (child = 2 * place + 1) < loop.count; place = child) {
    if (child + 1 < loop.count && loop.waits[child + 1]->due < loop.waits[child]->due) ++child;
    if (loop.waits[child]->due >= last->due) break;
    put(place, loop.waits[child]);
  }
  if (loop.count > 0) put(place, last);
  return first;
}

static void end(struct wait* wait, int32_t result) {
  wait->async->enter(wait->call);
  if (result == WEIR_OK && wait->host->output(wait->call, wait->output) != 0)
    result = WEIR_FAILED_FOR_GOOD;
  wait->async->complete(wait->call, result); /* stop() is not called any more */
  wait->async->leave(wait->call);
  free(wait);
}

static void* serve(void* unused) {
  (void)unused;
  pthread_mutex_lock(&loop.mutex);
  while (!loop.ending || loop.count > 0) {
    if (loop.count == 0) {
      pthread_cond_wait(&loop.changed, &loop.mutex);
      continue;
    }
    const uint64_t due = loop.waits[0]->due;
    if (!loop.ending && due > now()) {
      const struct timespec until = {(time_t)(due / 1000000000), (long)(due % 1000000000)};
      pthread_cond_timedwait(&loop.changed, &loop.mutex, &until);
      continue;
    }
    struct wait* const wait = pop();
    const int32_t result = wait->stopped || loop.ending ? WEIR_CANCELLED : WEIR_OK;
    pthread_mutex_unlock(&loop.mutex); /* complete() may wait for stop(), which locks it */
    end(wait, result);
    pthread_mutex_lock(&loop.mutex);
  }
  pthread_mutex_unlock(&loop.mutex);
  return NULL;
}

/* With the mutex. Condition variables count by the wall clock unless told otherwise. */
static int begin_thread(void) {
  pthread_condattr_t monotonic;
  if (loop.runs) return 1;
  if (pthread_condattr_init(&monotonic) != 0) return 0;
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  if (pthread_cond_init(&loop.changed, &monotonic) == 0) {
    loop.runs = pthread_create(&loop.thread, NULL, serve, NULL) == 0;
    if (!loop.runs) pthread_cond_destroy(&loop.changed);
  }
  pthread_condattr_destroy(&monotonic);
  return loop.runs;
}

/* Gives the wait to the thread; 0 when there is no memory. */
static int push(struct wait* wait) {
  pthread_mutex_lock(&loop.mutex);
  int pushed = !loop.ending && begin_thread();
  if (pushed && loop.count == loop.room) {
    const size_t room = loop.room == 0 ? 64 : 2 * loop.room;
    struct wait** const waits = realloc(loop.waits, room * sizeof *waits);
    pushed = waits != NULL;
    if (pushed) loop.waits = waits, loop.room = room;
  }
  if (pushed) {
    if (wait->stopped) wait->due = 0;
    put(loop.count++, wait);
    sift_up(wait->place);
    pthread_cond_signal(&loop.changed);
  }
  pthread_mutex_unlock(&loop.mutex);
  return pushed;
}

/* The work should stop: the wait is over. Called by the host, on any thread. */
static void stop(void* user) {
  struct wait* const wait = user;
  pthread_mutex_lock(&loop.mutex);
  wait->stopped = 1;
  if (wait->place < loop.count && loop.waits[wait->place] == wait) { /* it is in the heap */
    wait->due = 0;
    sift_up(wait->place);
    pthread_cond_signal(&loop.changed);
  }
  pthread_mutex_unlock(&loop.mutex);
}

/* Before the library is unloaded, and when the process exits. */
__attribute__((destructor)) static void end_thread(void) {
  pthread_mutex_lock(&loop.mutex);
  const int runs = loop.runs;
  loop.ending = 1;
  if (runs) pthread_cond_signal(&loop.changed);
  pthread_mutex_unlock(&loop.mutex);
  if (!runs) return;
  pthread_join(loop.thread, NULL);
  pthread_cond_destroy(&loop.changed);
  free(loop.waits);
}

/* Where the call cannot be deferred: its thread waits, and asks whether it should stop. */
static int32_t wait_here(const weir_host* host, weir_call* call, uint64_t due) {
  while (now() < due) {
    struct timespec moment = {0, 10000000};
    if (host->cancelled(call)) return WEIR_CANCELLED;
    if (due - now() < 10000000) moment.tv_nsec = (long)((due - now()) % 10000000);
    nanosleep(&moment, NULL);
  }
  return WEIR_OK;
}

/* 250 → 250, a quarter of a second later */
static int32_t later(const weir_host* host, weir_call* call, weir_str input, void* user) {
  const weir_async* const async = extension(host, WEIR_ASYNC_V1);
  const weir_virtual_time* const virtual_time = extension(host, WEIR_VIRTUAL_TIME_V1);
  uint64_t milliseconds = 0;
  size_t digits = 0;
  (void)user;
  while (digits < input.size && digits < 10 && input.data[digits] >= '0' &&
         input.data[digits] <= '9')
    milliseconds = 10 * milliseconds + (uint64_t)(input.data[digits++] - '0');
  if (digits == 0 || digits < input.size) {
    const weir_str code = STR("bad_input"), message = STR("expected a number of milliseconds");
    return fail(host, call, WEIR_FAILED_FOR_GOOD, code, message);
  }
  const uint64_t nanoseconds = milliseconds * 1000000;

  if (virtual_time != NULL) { /* a test: nothing waits */
    if (virtual_time->pass(call, nanoseconds) != WEIR_OK) return WEIR_CANCELLED;
    return host->output(call, input) == 0 ? WEIR_OK : WEIR_FAILED_FOR_GOOD;
  }
  struct wait* const wait = calloc(1, sizeof *wait);
  if (wait == NULL) return no_memory(host, call);
  wait->host = host;
  wait->async = async;
  wait->due = now() + nanoseconds;
  wait->place = (size_t)-1;
  wait->output = input;
  wait->call = async == NULL ? NULL : async->defer(call);
  if (wait->call == NULL) {
    const int32_t result = wait_here(host, call, wait->due);
    free(wait);
    if (result != WEIR_OK) return result;
    return host->output(call, input) == 0 ? WEIR_OK : WEIR_FAILED_FOR_GOOD;
  }
  /* First this, since the call may be over as soon as the thread has it. */
  async->on_stop(wait->call, stop, wait);
  if (!push(wait)) {
    no_memory(host, wait->call);
    async->complete(wait->call, WEIR_FAILED);
    free(wait);
  }
  return WEIR_PENDING;
}

#define MANIFEST                                                                          \
  "{\"weir\":1,\"plugin\":\"later_c\",\"version\":\"1.0.0\",\"flows\":["                  \
  "{\"module\":\"examples.LaterC\",\"slug\":\"later_c\","                                 \
  "\"input_schema\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0}}," \
  "\"steps\":[{\"slug\":\"later\",\"kind\":\"map\",\"depends_on\":[],\"timeout_ms\":7200000}]}]}"

WEIR_NOTE(note, MANIFEST);

static const weir_step steps[] = {{sizeof(weir_step), 0, STR("later"), later, NULL}};

static const weir_flow flows[] = {
    {sizeof(weir_flow), 1, STR("examples.LaterC"), STR("later_c"), steps, sizeof(weir_step), 0},
};

WEIR_EXPORT const weir_plugin weir_plugin_v1 = {
    WEIR_ABI_MAGIC,
    sizeof(weir_plugin),
    WEIR_ABI_MAJOR,
    WEIR_ABI_MINOR,
    STR("later_c"),
    STR("1.0.0"),
    {note.description, sizeof(MANIFEST) - 1},
    flows,
    1,
    sizeof(weir_flow),
    STR(__VERSION__),
};
