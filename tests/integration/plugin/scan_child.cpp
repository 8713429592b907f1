// The child's side of a scanner, and nothing else.
#include "plugin/scan_child.hpp"

int main(int count, char** arguments) { weir::scan_as_child({arguments + 1, arguments + count}); }
