/* weir/abi/note.h: the manifest as an ELF note, for plugins in plain C. The C++ SDK makes its own.
 *
 *     #define MANIFEST "{\"weir\": 1, \"plugin\": \"hello_c\", \"flows\": […]}"
 *     WEIR_NOTE(note, MANIFEST);
 *     … .manifest = {note.description, sizeof(MANIFEST) - 1} …
 *
 * So the note and the definition symbol share their bytes and cannot disagree.
 */
#ifndef WEIR_ABI_NOTE_H
#define WEIR_ABI_NOTE_H

#include <stdint.h>

#include <weir/abi/plugin.h>

/* `text` is a string literal; `variable` becomes a static constant. The description is padded to
 * four bytes. */
/* NOLINTBEGIN(bugprone-macro-parentheses): it declares the variable */
#define WEIR_NOTE(variable, text)                                                \
  __attribute__((section(".note.weir"), used, aligned(4))) static const struct { \
    uint32_t name_size, description_size, type;                                  \
    char name[(sizeof(WEIR_NOTE_NAME) + 3) & ~(size_t)3];                        \
    char description[(sizeof(text) - 1 + 3) & ~(size_t)3];                       \
  } variable = {sizeof(WEIR_NOTE_NAME), sizeof(text) - 1, WEIR_NOTE_TYPE, WEIR_NOTE_NAME, text}
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
