/* What compiles, and calls what no library has: weir_add_plugin() must not let it link. */
int price(void);

int unresolved(void) { return price(); }
