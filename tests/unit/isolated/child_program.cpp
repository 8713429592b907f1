// What the tests start instead of `weir internal isolate`.
#include "isolated/child_main.hpp"

int main() { weir::run_isolated_child(); }
