#pragma once
#include <string_view>

#include <boost/json/string_view.hpp>

namespace weir {

/// The same characters, which belong to the JSON value.
inline std::string_view view_of(boost::json::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace weir
