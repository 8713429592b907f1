#pragma once
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/abi/settle.h>
#include <weir/error.hpp>
#include <weir/json.hpp>
#include <weir/resource.hpp>
#include <weir/sdk/extension.hpp>

namespace weir {

namespace sdk {
class AsioCall;
class AsyncCall;
/// For co_await in an asynchronous handler.
struct Sleep {
  std::chrono::steady_clock::duration duration;
};
struct Stopped {};
}  // namespace sdk

/// What a handler can learn about its call, and do during it. Made by the SDK; valid until the
/// handler returns, an asynchronous one until it has ended, and so is every string it gives.
/// [any thread]
class Context {
 public:
  Context(const weir_host& host, weir_call& call) noexcept : host_(&host), call_(&call) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void debug(std::string_view message) const { log(WEIR_LOG_DEBUG, message); }
  void info(std::string_view message) const { log(WEIR_LOG_INFO, message); }
  void warn(std::string_view message) const { log(WEIR_LOG_WARN, message); }
  void error(std::string_view message) const { log(WEIR_LOG_ERROR, message); }
  void log(std::string_view message) const { info(message); }

  /// Whether the work should stop: its timeout passed, its run was cancelled or the worker shuts
  /// down. Cheap: call it often.
  bool cancelled() const { return host_->cancelled(call_) != 0; }

  /// Throws weir::cancelled once the work should stop.
  void check() const {
    if (cancelled()) throw weir::cancelled();
  }

  /// In an asynchronous handler (weir/async.hpp): `co_await context.sleep(5s)` waits without a
  /// thread, and throws weir::cancelled once the work should stop.
  template <class Rep, class Period>
  sdk::Sleep sleep(std::chrono::duration<Rep, Period> duration) const noexcept {
    constexpr std::chrono::hours longest(24 * 365 * 100);  // what every clock can add
    using Seconds = std::chrono::duration<double>;
    if (Seconds(duration) > Seconds(longest)) return {longest};
    return {std::chrono::ceil<std::chrono::steady_clock::duration>(duration)};
  }
  /// `co_await context.stopped()` waits until the work should stop.
  sdk::Stopped stopped() const noexcept { return {}; }

  std::string_view run_id() const { return property("run_id"); }
  std::string_view flow() const { return property("flow"); }
  std::string_view step() const { return property("step"); }
  std::int64_t attempt() const { return number("attempt"); }  ///< counted from 1
  /// The index of a map's element, counted from 0.
  std::int64_t task_index() const { return number("task_index"); }

  /// The run's input, whatever the step's own is. Throws json_error when it is not a T.
  template <class T>
  T flow_input() const {
    return from_json<T>(property("flow_input"));
  }

  /// What is expensive to open, opened once in this process and shared by all calls of this plugin:
  /// the T of that key, made as `T(factory())` when there is none. Calls that ask for the key
  /// meanwhile wait for it; calls for other keys do not. It lives until the worker ends, or until
  /// it is discarded; then its destructor runs once no call uses it any more.
  ///
  ///     const auto clone = context.resource<Clone>(path, [&] { return Clone(path); });
  ///
  /// A factory may ask for other resources, but for none that needs this one: that is refused.
  /// Throws resource_failed when the factory threw, the same to every call that waited; cancelled
  /// when the work should stop while another call makes the resource.
  template <class T, class Factory>
  Resource<T> resource(std::string_view key, Factory&& factory) const {
    static_assert(std::is_same_v<decltype(factory()), T>, "the factory returns a T");
    const weir_resources& table = resources();
    sdk::ResourceStart<T, Factory> start{table, factory};
    const weir_maker maker = start.maker();
    weir_acquired acquired{};
    acquired.struct_size = sizeof acquired;
    const std::int32_t outcome = table.acquire(call_, {key.data(), key.size()}, &maker, &acquired);
    if (outcome == WEIR_CANCELLED) throw weir::cancelled();
    if (outcome != WEIR_OK)
      throw resource_failed(std::string(acquired.code.data, acquired.code.size),
                            std::string(acquired.message.data, acquired.message.size));
    return {table, *call_, acquired.resource};
  }

  /// The SQL statement that completes this attempt with that output. Run it as the last one of a
  /// transaction of the handler's own: its effects and the step's end commit together, or neither
  /// does (C9). The connection is the handler's, to the database that Weir's tables are in.
  ///
  ///     pqxx::work work(connection);
  ///     work.exec("insert into payment …");
  ///     work.exec(context.settlement(receipt));
  ///     work.commit();
  ///     return receipt;
  ///
  /// After this call only what is committed counts, whatever the handler returns or throws:
  /// returning without a commit is a failed attempt, `not_settled`. The statement fails, and the
  /// transaction with it, when the attempt has ended meanwhile. Throws cancelled when it has ended
  /// already; permanent `no_settlement` in a process of the plugin's own (isolated), in `weir plugins
  /// try`, or for an output that is too large. Tests: FlowRunner::commit.
  template <class Output>
  std::string settlement(const Output& output) const {
    const auto* const table = sdk::extension_of<weir_settle>(*host_, WEIR_SETTLE_V1);
    if (table == nullptr)
      throw permanent("no_settlement", "this host does not have " WEIR_SETTLE_V1);
    const std::string json = to_json(output);
    weir_str text{};
    const std::int32_t outcome = table->settlement(call_, {json.data(), json.size()}, &text);
    if (outcome == WEIR_CANCELLED) throw weir::cancelled();
    std::string given(text.data, text.size);
    if (outcome != WEIR_OK) throw permanent("no_settlement", given);
    return given;
  }

 private:
  friend class sdk::AsioCall;
  friend class sdk::AsyncCall;

  void log(std::int32_t level, std::string_view message) const {
    host_->log(call_, level, {message.data(), message.size()});
  }
  const weir_resources& resources() const {
    const auto* const table = sdk::extension_of<weir_resources>(*host_, WEIR_RESOURCES_V1);
    if (table == nullptr)
      throw permanent("no_resources", "this host does not have " WEIR_RESOURCES_V1);
    return *table;
  }
  std::string_view property(std::string_view key) const {
    const weir_str found = host_->get(call_, {key.data(), key.size()});
    return {found.data, found.size};
  }
  std::int64_t number(std::string_view key) const {
    const std::string_view text = property(key);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  const weir_host* host_;
  weir_call* call_;
};

}  // namespace weir
