#pragma once
#include <stdexcept>
#include <string>

namespace weir::testing {

/// What a call throws.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return "";
}

}  // namespace weir::testing
