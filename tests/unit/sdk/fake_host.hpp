#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/abi/plugin.h>

/// What a handler did through the host, for tests to look at.
struct weir_call {
  bool is_cancelled = false;
  bool refuses_output = false;
  std::map<std::string, std::string, std::less<>> facts;

  std::vector<std::string> outputs;
  std::vector<std::pair<std::int32_t, std::string>> logs;
  struct Failure {
    std::int32_t kind;
    std::string code, message;
    std::uint64_t retry_after_ms;
  };
  std::vector<Failure> failures;
};

namespace weir::testing {

inline std::string_view view(weir_str text) { return {text.data, text.size}; }
inline weir_str str(std::string_view text) { return {text.data(), text.size()}; }

inline const weir_host& fake_host() {
  static const weir_host host = {
      sizeof(weir_host),
      WEIR_ABI_MAJOR,
      WEIR_ABI_MINOR,
      [](weir_call* call, weir_str json) {
        call->outputs.emplace_back(view(json));
        return call->refuses_output ? 1 : 0;
      },
      [](weir_call* call, std::int32_t kind, weir_str code, weir_str message,
         std::uint64_t retry_after_ms) {
        call->failures.push_back(
            {kind, std::string(view(code)), std::string(view(message)), retry_after_ms});
        return 0;
      },
      [](weir_call* call, std::int32_t level, weir_str message) {
        call->logs.emplace_back(level, view(message));
      },
      [](weir_call* call) { return call->is_cancelled ? 1 : 0; },
      [](weir_call* call, weir_str key) {
        const auto found = call->facts.find(view(key));
        return found == call->facts.end() ? weir_str{nullptr, 0} : str(found->second);
      },
      [](const weir_host*, weir_str) -> const void* { return nullptr; }};
  return host;
}

}  // namespace weir::testing
