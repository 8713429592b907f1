/* A plugin that compiles, and calls what no library has. */
int price(void);

int unresolved(void) { return price(); }
