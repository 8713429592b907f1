/* A first flow of two steps in plain C: weir/abi/plugin.h is all it needs. JSON is passed as text,
 * which the host has checked.
 *   run it:  weir serve &
 *            weir start plugin_name --input '"Ada"' --wait
 */
#include <stdlib.h>
#include <string.h>

#include <weir/abi/note.h>
#include <weir/abi/plugin.h>

#define STR(literal) {literal, sizeof(literal) - 1}

static int32_t fail(const weir_host* host, weir_call* call, int32_t kind, weir_str message) {
  const weir_str code = STR("plugin_name");
  host->fail(call, kind, code, message, 0);
  return kind;
}

/* Returns before + middle + after as the step's output. */
static int32_t put_out(const weir_host* host, weir_call* call, weir_str before, weir_str middle,
                       weir_str after) {
  const size_t size = before.size + middle.size + after.size;
  char* const text = malloc(size);
  if (text == NULL) {
    const weir_str message = STR("no memory for the output");
    return fail(host, call, WEIR_FAILED, message);
  }
  memcpy(text, before.data, before.size);
  memcpy(text + before.size, middle.data, middle.size);
  memcpy(text + before.size + middle.size, after.data, after.size);
  const weir_str json = {text, size};
  const int32_t refused = host->output(call, json);
  free(text);
  return refused ? WEIR_FAILED_FOR_GOOD : WEIR_OK;
}

/* "Ada" → "Hello, Ada!" */
static int32_t greet(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)user;
  if (input.size < 2 || input.data[0] != '"' || input.data[input.size - 1] != '"') {
    const weir_str message = STR("expected a string");
    return fail(host, call, WEIR_FAILED_FOR_GOOD, message);
  }
  const weir_str before = STR("\"Hello, "), after = STR("!\"");
  const weir_str who = {input.data + 1, input.size - 2};
  return put_out(host, call, before, who, after);
}

/* {"greet": "Hello, Ada!"} → {"text":"Hello, Ada!"}: a step that waits for others is given an
 * object with their outputs. */
static int32_t sign(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)user;
  const weir_str line = STR("about to sign");
  host->log(call, WEIR_LOG_INFO, line);
  const char* const colon = memchr(input.data, ':', input.size);
  if (colon == NULL) {
    const weir_str message = STR("expected an object with what \"greet\" returned");
    return fail(host, call, WEIR_FAILED_FOR_GOOD, message);
  }
  const weir_str before = STR("{\"text\":"), after = STR("}");
  const weir_str greeting = {colon + 1, (size_t)(input.data + input.size - colon) - 2};
  return put_out(host, call, before, greeting, after);
}

/* The description of the plugin, used for the note and for the definition symbol. The steps below
 * are in the same order. */
#define MANIFEST                                                             \
  "{\"weir\":1,\"plugin\":\"plugin_name\",\"version\":\"0.1.0\",\"flows\":[" \
  "{\"module\":\"first.PluginName\",\"slug\":\"plugin_name\","               \
  "\"input_schema\":{\"type\":\"string\"},\"steps\":["                       \
  "{\"slug\":\"greet\"},"                                                    \
  "{\"slug\":\"sign\",\"depends_on\":[\"greet\"],\"max_attempts\":5}]}]}"

WEIR_NOTE(note, MANIFEST);

static const weir_step steps[] = {
    {sizeof(weir_step), 0, STR("greet"), greet, NULL},
    {sizeof(weir_step), 0, STR("sign"), sign, NULL},
};

static const weir_flow flows[] = {
    {sizeof(weir_flow), 2, STR("first.PluginName"), STR("plugin_name"), steps, sizeof(weir_step),
     0},
};

WEIR_EXPORT const weir_plugin weir_plugin_v1 = {
    WEIR_ABI_MAGIC,
    sizeof(weir_plugin),
    WEIR_ABI_MAJOR,
    WEIR_ABI_MINOR,
    STR("plugin_name"),
    STR("0.1.0"),
    {note.description, sizeof(MANIFEST) - 1},
    flows,
    1,
    sizeof(weir_flow),
    STR(__VERSION__),
};
