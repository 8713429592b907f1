#pragma once
#include <optional>

#include <weir/json.hpp>

namespace weir {

/// The result of a wait, for the steps after it: whether its signal arrived in time, and the
/// payload, if any. An empty Waited means that no signal arrived.
///
///     struct Decision { weir::Waited<Verdict> approval; };  // after wait("approval", 72h)
///     WEIR_JSON(Decision, approval)
template <class Payload>
struct Waited {
  bool signalled = false;
  std::optional<Payload> payload{};  ///< also empty when null was sent

  explicit operator bool() const noexcept { return signalled; }
};

template <class Payload>
[[maybe_unused]] consteval auto weir_members(const Waited<Payload>*) {
  return sdk::member_list<Waited<Payload>>(
      sdk::Member{std::string_view("signalled"), &Waited<Payload>::signalled},
      sdk::Member{std::string_view("payload"), &Waited<Payload>::payload});
}

}  // namespace weir
