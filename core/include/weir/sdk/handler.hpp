#pragma once
#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <weir/abi/plugin.h>
#include <weir/context.hpp>
#include <weir/error.hpp>
#include <weir/json.hpp>

namespace weir {

template <class T>
class Async;

namespace sdk {

/// What the definition symbol points to for a step, of a handler and of one that is a coroutine.
template <auto handler>
std::int32_t run(const weir_host* host, weir_call* host_call, weir_str input, void*) noexcept;
template <auto handler>
std::int32_t run_async(const weir_host* host, weir_call* host_call, weir_str input, void*) noexcept;

/// What a handler that returns an R gives in the end, and what runs it. Each kind of asynchronous
/// handlers has a specialization: weir::Async<T> here, others where they are defined (weir/asio.hpp).
template <class R>
struct Returned {
  using Type = R;
  static constexpr bool is_async = false;
  template <auto handler>
  static constexpr auto run = &sdk::run<handler>;
};
template <class T>
struct Returned<Async<T>> {
  using Type = T;
  static constexpr bool is_async = true;
  template <auto handler>
  static constexpr auto run = &sdk::run_async<handler>;
};

/// A handler's types: of `R f(weir::Context&)` or `R f(weir::Context&, In)`. No input and void are
/// null.
template <class Function>
struct Signature {
  static_assert(!std::is_same_v<Function, Function>,
                "a handler is R f(weir::Context&) or R f(weir::Context&, In)");
};
template <class R>
struct Signature<R (*)(Context&)> {
  static constexpr bool takes_input = false;
  using Kind = Returned<R>;
  using Value = typename Kind::Type;
  static constexpr bool returns = !std::is_void_v<Value>;
  using Result = std::conditional_t<returns, std::remove_cvref_t<Value>, std::monostate>;
  static_assert(Writable<Result>,
                "what this handler returns cannot be written as JSON: describe it with "
                "WEIR_JSON(Type, members…)");
};
template <class R, class In>
struct Signature<R (*)(Context&, In)> : Signature<R (*)(Context&)> {
  static constexpr bool takes_input = true;
  using Input = std::remove_cvref_t<In>;
  static_assert(Readable<Input>,
                "what this handler takes cannot be read from JSON: describe it with "
                "WEIR_JSON(Type, members…)");
  static_assert(!std::is_lvalue_reference_v<In> || std::is_const_v<std::remove_reference_t<In>>,
                "a handler takes its input by value or by const reference");
  static_assert(
      !Returned<R>::is_async || !std::is_reference_v<In>,
      "an asynchronous handler takes its input by value: a reference would outlive what it "
      "refers to at the first co_await");
};
template <class R, class... In>
struct Signature<R (*)(Context&, In...) noexcept> : Signature<R (*)(Context&, In...)> {};

template <auto handler>
using SignatureOf = Signature<decltype(+handler)>;

/// What runs the handler, of whichever kind it is.
template <auto handler>
inline constexpr auto run_of = SignatureOf<handler>::Kind::template run<handler>;

template <class In>
In read_input(const Context& context, std::string_view input) {
  try {
    return from_json<In>(input);
  } catch (const json_error& error) {
    throw permanent("bad_input", "step \"" + std::string(context.step()) +
                                     "\" cannot read its input: " + error.what());
  }
}

template <class Result>
void write_output(const Context& context, std::string& output, const Result& result) {
  try {
    Codec<Result>::write(output, result, Place());
  } catch (const json_error& error) {
    throw permanent("bad_output", "step \"" + std::string(context.step()) +
                                      "\" cannot write its output: " + error.what());
  }
}

/// Reads the input and calls the handler. A coroutine has not begun then.
template <auto handler>
decltype(auto) invoke(Context& context, std::string_view input) {
  using Types = SignatureOf<handler>;
  if constexpr (Types::takes_input)
    return handler(context, read_input<typename Types::Input>(context, input));
  else
    return handler(context);
}

/// Reads the input, calls the handler and writes what it returns.
template <auto handler>
void call(Context& context, std::string_view input, std::string& output) {
  using Types = SignatureOf<handler>;
  if constexpr (Types::returns) {
    write_output<typename Types::Result>(context, output, invoke<handler>(context, input));
  } else {
    invoke<handler>(context, input);
    output = "null";
  }
}

/// Reports to the host the exception that is being handled, and returns what `run` returns then. Call
/// it in a catch clause.
inline std::int32_t fail_with_exception(const weir_host& host, weir_call* call) noexcept {
  const auto fail = [&](std::int32_t kind, std::string_view code, std::string_view message,
                        std::uint64_t retry_after_ms = 0) {
    host.fail(call, kind, {code.data(), code.size()}, {message.data(), message.size()},
              retry_after_ms);
    return kind;
  };
  try {
    throw;
  } catch (const cancelled&) {
    return WEIR_CANCELLED;
  } catch (const permanent& error) {
    return fail(WEIR_FAILED_FOR_GOOD, error.code(), error.what());
  } catch (const retry_after& error) {
    const auto delay = std::max<std::int64_t>(error.delay().count(), 1);
    return fail(WEIR_FAILED, "retry_after", error.what(), static_cast<std::uint64_t>(delay));
  } catch (const resource_failed& error) {
    return fail(WEIR_FAILED, error.code(), error.what());
  } catch (const std::exception& error) {
    return fail(WEIR_FAILED, "exception", error.what());
  } catch (...) {
    return fail(WEIR_FAILED, "unknown_exception",
                "the handler threw something that is not a std::exception");
  }
}

/// Gives the host the output, and returns what `run` returns then.
inline std::int32_t give_output(const weir_host& host, weir_call* call, std::string_view output) {
  return host.output(call, {output.data(), output.size()}) == 0 ? WEIR_OK : WEIR_FAILED_FOR_GOOD;
}

/// The boundary: reports to the host how `body` ended. No exception leaves it.
inline std::int32_t run_guarded(const weir_host* host, weir_call* host_call, weir_str input,
                                void (*body)(Context&, std::string_view, std::string&)) noexcept {
  try {
    Context context(*host, *host_call);
    std::string output;
    body(context, {input.data, input.size}, output);
    return give_output(*host, host_call, output);
  } catch (...) {
    return fail_with_exception(*host, host_call);
  }
}

template <auto handler>
std::int32_t run(const weir_host* host, weir_call* host_call, weir_str input, void*) noexcept {
  return run_guarded(host, host_call, input, &call<handler>);
}

}  // namespace sdk
}  // namespace weir
