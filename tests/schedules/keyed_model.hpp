/// Histories of a KeyedRegistry, or of a copy of it, under lockstep, checked against what one thread
/// alone would have seen of a map from keys to entries.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <weir/registry/keyed_registry.hpp>
#include <weir/testing/linearizability.hpp>
#include <weir/testing/lockstep.hpp>

namespace weir::schedules {

struct KeyedCall {
  enum class What { register_, unregister, unregister_even, update, end, lookup } what;
  std::uint64_t owner;
  int key;
  int value;
};

/// For one thread: what a registry answers. An answer is a list of numbers.
struct KeyedModel {
  bool unique = true;
  std::map<int, std::vector<std::pair<std::uint64_t, int>>> entries = {};
  std::vector<std::uint64_t> ended = {};
  auto operator<=>(const KeyedModel&) const = default;

  std::vector<std::uint64_t> operator()(const KeyedCall& call) {
    using enum KeyedCall::What;
    auto& here = entries[call.key];
    const auto own = [&](const auto& each) { return each.first == call.owner; };
    switch (call.what) {
      case register_:
        for (const std::uint64_t each : ended)
          if (each == call.owner) return {0};
        if (unique && !here.empty()) return {0};
        here.emplace_back(call.owner, call.value);
        return {1};
      case unregister:
        return {std::erase_if(here, own)};
      case unregister_even:
        return {std::erase_if(here,
                              [&](const auto& each) { return own(each) && each.second % 2 == 0; })};
      case update: {
        std::uint64_t changed = 0;
        for (auto& each : here)
          if (own(each)) {
            each.second += call.value;
            ++changed;
          }
        return {changed};
      }
      case end:
        std::erase_if(here, own);
        ended.push_back(call.owner);
        return {};
      case lookup:
        break;
    }
    std::vector<std::uint64_t> found;
    for (const auto& [owner, value] : here) {
      found.push_back(owner);
      found.push_back(static_cast<std::uint64_t>(value));
    }
    return found;
  }
};

/// Calls a registry and writes down what it answered.
template <class Registry>
class KeyedHistory {
  using Owner = typename Registry::Owner;
  using Answer = std::vector<std::uint64_t>;
  using What = KeyedCall::What;

 public:
  explicit KeyedHistory(Registry& registry) : registry_(registry) {}

  void register_(Owner& owner, int key, int value) {
    record({What::register_, owner.id(), key, value},
           [&] { return Answer{registry_.register_(owner, key, value) ? 1U : 0U}; });
  }
  void unregister(Owner& owner, int key) {
    record({What::unregister, owner.id(), key, 0},
           [&] { return Answer{registry_.unregister(owner, key)}; });
  }
  void unregister_even(Owner& owner, int key) {
    record({What::unregister_even, owner.id(), key, 0}, [&] {
      return Answer{
          registry_.unregister_match(owner, key, [](int value) { return value % 2 == 0; })};
    });
  }
  void update(Owner& owner, int key, int more) {
    record({What::update, owner.id(), key, more}, [&] {
      const auto updated =
          registry_.update_value(owner, key, [&](int value) { return value + more; });
      return Answer{updated ? updated->size() : 0};
    });
  }
  /// Of an owner that is registered under `key` alone.
  void end(Owner& owner, int key) {
    record({What::end, owner.id(), key, 0}, [&] {
      owner.end();
      return Answer{};
    });
  }
  void lookup(int key) {
    record({What::lookup, 0, key, 0}, [&] {
      Answer found;
      for (const auto& entry : registry_.lookup(key)) {
        found.push_back(entry.owner);
        found.push_back(static_cast<std::uint64_t>(entry.value));
      }
      return found;
    });
  }

  void require_linearizable(bool unique) const {
    if (history_.linearizable(KeyedModel{.unique = unique})) return;
    std::string text = "not linearizable:";
    for (const auto& entry : history_.entries()) {
      text += "\n  " + std::to_string(entry.begin) + "-" + std::to_string(entry.end) + " call " +
              std::to_string(static_cast<int>(entry.call.what)) + " of " +
              std::to_string(entry.call.owner) + " value " + std::to_string(entry.call.value) + ":";
      for (const std::uint64_t number : entry.answer) text += " " + std::to_string(number);
    }
    lockstep::require(false, text);
  }

 private:
  template <class Perform>
  void record(KeyedCall call, Perform perform) {
    history_.record(call, perform);
  }

  Registry& registry_;
  lockstep::History<KeyedCall, Answer> history_;
};

}  // namespace weir::schedules
