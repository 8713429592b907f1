/* A step that puts out what it was given. */
#include <weir/abi/note.h>
#include <weir/abi/plugin.h>

#define STR(literal) {literal, sizeof(literal) - 1}

static int32_t run(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)user;
  host->output(call, input);
  return WEIR_OK;
}

#define MANIFEST                                                                             \
  "{\"weir\":1,\"plugin\":\"echo\",\"flows\":[{\"module\":\"bench.Echo\",\"slug\":\"echo\"," \
  "\"steps\":[{\"slug\":\"do\"}]}]}"

WEIR_NOTE(note, MANIFEST);

static const weir_step steps[] = {{sizeof(weir_step), 0, STR("do"), run, 0}};
static const weir_flow flows[] = {
    {sizeof(weir_flow), 1, STR("bench.Echo"), STR("echo"), steps, sizeof(weir_step), 0},
};

WEIR_EXPORT const weir_plugin weir_plugin_v1 = {
    WEIR_ABI_MAGIC,
    sizeof(weir_plugin),
    WEIR_ABI_MAJOR,
    WEIR_ABI_MINOR,
    STR("echo"),
    {0, 0},
    {note.description, sizeof(MANIFEST) - 1},
    flows,
    1,
    sizeof(weir_flow),
    {0, 0},
};
