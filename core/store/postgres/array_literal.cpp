#include "store/postgres/array_literal.hpp"

#include "base/iso8601.hpp"

namespace weir::postgres {

void ArrayLiteral::add_text(std::string_view text) {
  std::string& out = next();
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void ArrayLiteral::add(Time time) { add_text(iso8601(time)); }

}  // namespace weir::postgres
