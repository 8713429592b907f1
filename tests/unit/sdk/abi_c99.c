/* The ABI is C99 by itself, and a note can be written in it. Compiling this is the test. */
#include <weir/abi/async.h>
#include <weir/abi/note.h>
#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/abi/virtual_time.h>

#define MANIFEST "{}"
WEIR_NOTE(abi_c99_note, MANIFEST);

/* What crosses has the layout that ABI 1.0 promises on 64-bit machines. */
#define WEIR_ASSERT_SIZE(type, size) \
  typedef char type##_has_its_size[sizeof(type) == (size) ? 1 : -1]
WEIR_ASSERT_SIZE(weir_str, 16);
WEIR_ASSERT_SIZE(weir_step, 40);
WEIR_ASSERT_SIZE(weir_flow, 56);
WEIR_ASSERT_SIZE(weir_plugin, 96);
WEIR_ASSERT_SIZE(weir_host, 56);
WEIR_ASSERT_SIZE(weir_maker, 40);
WEIR_ASSERT_SIZE(weir_acquired, 48);
WEIR_ASSERT_SIZE(weir_resources, 32);
WEIR_ASSERT_SIZE(weir_async, 48);
WEIR_ASSERT_SIZE(weir_virtual_time, 16);

const char* abi_c99_manifest(void);
const char* abi_c99_manifest(void) { return abi_c99_note.description; }
