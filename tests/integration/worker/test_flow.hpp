#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/abi/async.h>
#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/abi/settle.h>

#include "definition/flow_definition.hpp"
#include "registry/flow_handle.hpp"

namespace weir::testing {

/// What a handler of a test sees of its call.
class TestCall {
 public:
  TestCall(const weir_host& host, weir_call* call, std::string_view given)
      : input(given), host_(&host), call_(call) {}

  std::string_view input;
  std::int32_t output(std::string_view json) {
    return host_->output(call_, {json.data(), json.size()});
  }
  std::int32_t fail(std::string_view message, std::int32_t kind = WEIR_FAILED,
                    std::uint64_t retry_after_ms = 0) {
    constexpr std::string_view code = "test";
    host_->fail(call_, kind, {code.data(), code.size()}, {message.data(), message.size()},
                retry_after_ms);
    return kind;
  }
  bool cancelled() const { return host_->cancelled(call_) != 0; }
  /// What WEIR_SETTLE_V1 says: the SQL text that settles the attempt; else why there is none.
  struct Settlement {
    std::int32_t outcome = WEIR_OK;
    std::string text;
  };
  Settlement settlement(std::string_view json) const {
    constexpr std::string_view id = WEIR_SETTLE_V1;
    const auto* const table =
        static_cast<const weir_settle*>(host_->extension(host_, {id.data(), id.size()}));
    weir_str text{};
    const std::int32_t outcome = table->settlement(call_, {json.data(), json.size()}, &text);
    return {outcome, std::string(text.data == nullptr ? "" : text.data, text.size)};
  }
  /// The same call, deferred (WEIR_ASYNC_V1); nullopt where it cannot be.
  std::optional<TestCall> deferred() const {
    weir_call* const call = async().defer(call_);
    if (call == nullptr) return std::nullopt;
    return TestCall(*host_, call, {});
  }
  std::int32_t complete(std::int32_t result) const { return async().complete(call_, result); }
  std::int32_t on_stop(void (*stopped)(void*), void* user) const {
    return async().on_stop(call_, stopped, user);
  }
  void log(std::string_view text) const {
    host_->log(call_, WEIR_LOG_INFO, {text.data(), text.size()});
  }
  /// The resource of that name (WEIR_RESOURCES_V1); null when there is none.
  void* acquire(std::string_view name, const weir_maker& maker) const {
    weir_acquired acquired{};
    acquired.struct_size = sizeof acquired;
    resources().acquire(call_, {name.data(), name.size()}, &maker, &acquired);
    return acquired.resource;
  }
  void discard(const void* resource) const { resources().discard(call_, resource); }
  std::string fact(std::string_view key) const {
    const weir_str value = host_->get(call_, {key.data(), key.size()});
    return std::string(value.data, value.size);
  }

 private:
  const weir_resources& resources() const {
    constexpr std::string_view id = WEIR_RESOURCES_V1;
    return *static_cast<const weir_resources*>(host_->extension(host_, {id.data(), id.size()}));
  }
  const weir_async& async() const {
    constexpr std::string_view id = WEIR_ASYNC_V1;
    return *static_cast<const weir_async*>(host_->extension(host_, {id.data(), id.size()}));
  }

  const weir_host* host_;
  weir_call* call_;
};

using TestHandler = std::function<std::int32_t(TestCall&)>;

/// A handler that returns one JSON text.
TestHandler returns(std::string json);

/// A flow built into the test, its handlers behind the plugin ABI like any other's. Must outlive
/// whoever runs it.
class TestFlow {
 public:
  struct Step {
    std::string slug;
    TestHandler handler;
    std::vector<std::string> depends_on = {};
    std::string kind = "single";
    OptionOverrides options = {};
    std::optional<std::string> only_if = {}, unless = {};  ///< JSON patterns
    std::optional<std::string> when_unmet = {}, when_exhausted = {};
    std::optional<std::string> signal = {}, flow = {};
  };
  /// A wait for a signal of its own name, at most `timeout_ms`.
  static Step wait(std::string slug, std::vector<std::string> depends_on, std::int64_t timeout_ms);
  /// A step that starts a run of another flow.
  static Step child(std::string slug, std::vector<std::string> depends_on, std::string flow);

  TestFlow(std::string slug, std::vector<Step> steps);

  /// A JSON schema for the inputs of its runs.
  void set_input_schema(std::string schema) {
    draft_.input_schema = Json::parse(std::move(schema)).value();
  }

  FlowModule module() const&;
  FlowModule module() const&& = delete;  // it refers to the steps of this object

 private:
  std::string slug_;
  FlowDraft draft_;
  std::deque<TestHandler> handlers_;
  std::map<std::string, weir_step> steps_;
};

}  // namespace weir::testing
