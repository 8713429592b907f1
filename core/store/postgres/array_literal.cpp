#include "store/postgres/array_literal.hpp"

#include <algorithm>

#include "base/iso8601.hpp"

namespace weir::postgres {

void ArrayLiteral::add_text(std::string_view text) {
  std::string& out = next();
  out += '"';
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t special = std::min(text.find_first_of("\"\\", from), text.size());
    out.append(text, from, special - from);
    if (special < text.size()) (out += '\\') += text[special];
    from = special + 1;
  }
  out += '"';
}

void ArrayLiteral::add(Time time) { add_text(iso8601(time)); }

}  // namespace weir::postgres
