/* The plugin of which bench_registry makes a thousand, by writing other digits over p000000. */
#include <weir/abi/note.h>
#include <weir/abi/plugin.h>

#define STR(literal) {literal, sizeof(literal) - 1}

static int32_t run(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)host, (void)call, (void)input, (void)user;
  return WEIR_OK;
}

#define MANIFEST                                                             \
  "{\"weir\":1,\"plugin\":\"p000000\",\"version\":\"1.0.0\",\"flows\":["     \
  "{\"module\":\"bench.plugins.p000000\",\"slug\":\"bench_plugin_p000000\"," \
  "\"steps\":[{\"slug\":\"do\",\"kind\":\"single\",\"depends_on\":[]}]}]}"

WEIR_NOTE(note, MANIFEST);

static const weir_step steps[] = {{sizeof(weir_step), 0, STR("do"), run, 0}};

static const weir_flow flows[] = {
    {sizeof(weir_flow), 1, STR("bench.plugins.p000000"), STR("bench_plugin_p000000"), steps,
     sizeof(weir_step), 0},
};

WEIR_EXPORT const weir_plugin weir_plugin_v1 = {
    WEIR_ABI_MAGIC,
    sizeof(weir_plugin),
    WEIR_ABI_MAJOR,
    WEIR_ABI_MINOR,
    STR("p000000"),
    STR("1.0.0"),
    {note.description, sizeof(MANIFEST) - 1},
    flows,
    1,
    sizeof(weir_flow),
    STR(__VERSION__),
};
