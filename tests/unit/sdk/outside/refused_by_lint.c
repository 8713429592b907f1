/* A plugin that compiles and links, whose manifest is none. */
#include <weir/abi/note.h>
#include <weir/abi/plugin.h>

#define MANIFEST "{\"weir\": 1}"
WEIR_NOTE(note, MANIFEST);

WEIR_EXPORT const weir_plugin weir_plugin_v1 = {
    .magic = WEIR_ABI_MAGIC, .manifest = {note.description, sizeof(MANIFEST) - 1}};
