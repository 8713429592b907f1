/* The flow of plugins/hello in plain C: what the C++ SDK does for you, by hand. */
#include <stdlib.h>
#include <string.h>

#include <weir/abi/note.h>
#include <weir/abi/plugin.h>

#define STR(literal) {literal, sizeof(literal) - 1}

/* JSON is passed as text that the host has checked. These three functions find what is needed in
 * it. */

static const char* string_end(const char* at, const char* end) {
  for (++at; at < end && *at != '"'; ++at)
    if (*at == '\\') ++at;
  return at < end ? at + 1 : end;
}

static const char* value_end(const char* at, const char* end) {
  int depth = 0;
  for (; at < end; ++at) {
    if (*at == '"') at = string_end(at, end) - 1;
    if (*at == '{' || *at == '[') ++depth;
    if (*at == ',' && depth == 0) return at;
    if ((*at == '}' || *at == ']') && depth-- == 0) return at;
  }
  return end;
}

/* The first character of the value of `member`, a quoted word; NULL when the object has none. */
static const char* find(weir_str object, const char* member) {
  const char* const end = object.data + object.size;
  const char* at = memchr(object.data, '{', object.size);
  while (at != NULL && ++at < end) {
    const char* const key = memchr(at, '"', (size_t)(end - at));
    if (key == NULL) return NULL;
    const char* value = string_end(key, end);
    const int found =
        (size_t)(value - key) == strlen(member) && memcmp(key, member, strlen(member)) == 0;
    while (value < end && strchr(" \t\r\n:", *value) != NULL) ++value;
    if (found && value < end) return value;
    at = value_end(value, end);
  }
  return NULL;
}

/* Texts grow within memory that is large enough from the start: see the callers. */
struct text {
  char* data;
  size_t size;
};

static void append(struct text* text, const char* data, size_t size) {
  memcpy(text->data + text->size, data, size);
  text->size += size;
}

static int32_t finish(const weir_host* host, weir_call* call, struct text text) {
  const weir_str json = {text.data, text.size};
  const int32_t refused = host->output(call, json);
  free(text.data);
  return refused ? WEIR_FAILED_FOR_GOOD : WEIR_OK;
}

static int32_t fail(const weir_host* host, weir_call* call, int32_t kind, weir_str code,
                    weir_str message) {
  host->fail(call, kind, code, message, 0);
  return kind;
}

static int32_t out_of_memory(const weir_host* host, weir_call* call) {
  const weir_str code = STR("out_of_memory"), message = STR("no memory for the result");
  return fail(host, call, WEIR_FAILED, code, message);
}

static int32_t bad_input(const weir_host* host, weir_call* call, weir_str message) {
  const weir_str code = STR("bad_input");
  return fail(host, call, WEIR_FAILED_FOR_GOOD, code, message);
}

/* {"name": "Ada Lovelace"} → ["Ada","Lovelace"] */
static int32_t split(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)user;
  const char* at = find(input, "\"name\"");
  const char* const end = input.data + input.size;
  if (at == NULL || *at != '"') {
    const weir_str message = STR("expected an object with a string \"name\"");
    return bad_input(host, call, message);
  }
  struct text names = {malloc(2 * input.size + 2), 0}; /* "a b" grows most: to "a","b" */
  if (names.data == NULL) return out_of_memory(host, call);
  const char* const name_end = string_end(at, end) - 1;
  for (++at; at < name_end;) {
    const size_t size = (size_t)(name_end - at);
    const char* space = memchr(at, ' ', size);
    if (space == NULL) space = name_end;
    if (space > at) {
      append(&names, names.size == 0 ? "[\"" : ",\"", 2);
      append(&names, at, (size_t)(space - at));
      append(&names, "\"", 1);
    }
    at = space + 1;
  }
  if (names.size == 0) {
    const weir_str code = STR("no_name");
    const weir_str message = STR("there is nobody to greet: \"name\" is empty");
    free(names.data);
    return fail(host, call, WEIR_FAILED_FOR_GOOD, code, message);
  }
  append(&names, "]", 1);
  const weir_str greeting = STR("greeting somebody from C");
  host->log(call, WEIR_LOG_INFO, greeting);
  return finish(host, call, names);
}

/* "Ada" → "Hello, Ada!" */
static int32_t greet(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)user;
  const char* const name = memchr(input.data, '"', input.size);
  if (name == NULL) {
    const weir_str message = STR("expected a string");
    return bad_input(host, call, message);
  }
  struct text line = {malloc(input.size + sizeof("\"Hello, !\"")), 0};
  if (line.data == NULL) return out_of_memory(host, call);
  append(&line, "\"Hello, ", 8);
  append(&line, name + 1, (size_t)(string_end(name, input.data + input.size) - name) - 2);
  append(&line, "!\"", 2);
  return finish(host, call, line);
}

/* {"greet": ["Hello, Ada!", "Hello, Lovelace!"]} → {"text":"Hello, Ada! Hello, Lovelace!"} */
static int32_t compose(const weir_host* host, weir_call* call, weir_str input, void* user) {
  (void)user;
  const char* at = find(input, "\"greet\"");
  if (at == NULL || *at != '[') {
    const weir_str message = STR("expected an object with an array \"greet\"");
    return bad_input(host, call, message);
  }
  const char* const end = value_end(at, input.data + input.size);
  struct text letter = {malloc(input.size + sizeof("{\"text\":\"\"}")), 0};
  if (letter.data == NULL) return out_of_memory(host, call);
  append(&letter, "{\"text\":\"", 9);
  const size_t before = letter.size;
  while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
    const char* const line_end = string_end(at, end);
    if (letter.size > before) append(&letter, " ", 1);
    append(&letter, at + 1, (size_t)(line_end - at) - 2);
    at = line_end;
  }
  append(&letter, "\"}", 2);
  return finish(host, call, letter);
}

/* The manifest, written once for the note and the definition symbol. The steps below are in the
 * same order. */
#define MANIFEST                                                                           \
  "{\"weir\":1,\"plugin\":\"hello_c\",\"version\":\"1.0.0\",\"flows\":["                   \
  "{\"module\":\"examples.HelloC\",\"slug\":\"hello_c\","                                  \
  "\"input_schema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}," \
  "\"required\":[\"name\"]},"                                                              \
  "\"steps\":["                                                                            \
  "{\"slug\":\"split\",\"kind\":\"single\",\"depends_on\":[]},"                            \
  "{\"slug\":\"greet\",\"kind\":\"map\",\"depends_on\":[\"split\"]},"                      \
  "{\"slug\":\"compose\",\"kind\":\"single\",\"depends_on\":[\"greet\"]}]}]}"

WEIR_NOTE(note, MANIFEST);

static const weir_step steps[] = {
    {sizeof(weir_step), 0, STR("split"), split, NULL},
    {sizeof(weir_step), 0, STR("greet"), greet, NULL},
    {sizeof(weir_step), 0, STR("compose"), compose, NULL},
};

static const weir_flow flows[] = {
    {sizeof(weir_flow), 3, STR("examples.HelloC"), STR("hello_c"), steps, sizeof(weir_step), 0},
};

WEIR_EXPORT const weir_plugin weir_plugin_v1 = {
    WEIR_ABI_MAGIC,
    sizeof(weir_plugin),
    WEIR_ABI_MAJOR,
    WEIR_ABI_MINOR,
    STR("hello_c"),
    STR("1.0.0"),
    {note.description, sizeof(MANIFEST) - 1},
    flows,
    1,
    sizeof(weir_flow),
    STR(__VERSION__),
};
