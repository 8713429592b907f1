/// Asynchronous handlers: a step that waits holds no thread.
///
///     weir::Async<Quote> ask(weir::Context& context, Order order) {
///       for (int polls = 0; polls < 100; ++polls) {
///         if (auto quote = ready_quote(order)) co_return *quote;
///         co_await context.sleep(5s);
///       }
///       throw weir::retry_after(1min, "the supplier has not answered");
///     }
///
/// A handler that returns weir::Async<T> is a coroutine. It begins in a slot of the worker; at its
/// first wait it leaves the slot to other steps (weir/abi/async.h), and goes on, on a thread of the
/// SDK, when the wait is over. What it returns and throws means the same as in any other handler. One
/// that never waits costs about as much as one that is no coroutine. Where the host defers no call
/// (when too many calls are pending), the waits hold the thread; in virtual time (FlowRunner) sleep()
/// and stopped() pass at once.
///
/// Input is taken by value, and lives in the coroutine; so does what else it must keep over a wait.
/// Between two waits the code should be short: the threads of the SDK, at most four in a plugin,
/// are there for all of its calls.
///
/// Other awaitables can be waited for too. Whatever resumes the coroutine must do so once, and not
/// after the plugin's static objects are destroyed.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weir/abi/async.h>
#include <weir/abi/plugin.h>
#include <weir/context.hpp>
#include <weir/sdk/extension.hpp>
#include <weir/sdk/handler.hpp>
#include <weir/sdk/virtual_time.hpp>

namespace weir {
namespace sdk {

class AsyncCall;

/// Resumes coroutines when their time has come, on threads of its own. One for each library that uses
/// it: it ends with the library's static objects, and what waits then is not resumed.  [any thread]
class Timers {
 public:
  using Clock = std::chrono::steady_clock;

  /// How many threads a plugin has at most for its asynchronous calls.
  static std::size_t threads_max() noexcept {
    return std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
  }

  static Timers& of_library() {
    static Timers timers;
    return timers;
  }

  ~Timers() {
    std::vector<std::thread> threads;
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
      threads.swap(threads_);
    }
    changed_.notify_all();
    for (std::thread& thread : threads)
      if (thread.get_id() == std::this_thread::get_id())
        thread.detach();  // a coroutine ends the process
      else
        thread.join();
  }

  /// Resumes the coroutine at that time, or at once when the call was stopped, or when stop() comes.
  void resume_at(Clock::time_point time, AsyncCall& call, std::coroutine_handle<> coroutine);
  void stop(AsyncCall& call);

 private:
  struct Wait {
    AsyncCall* call;
    std::coroutine_handle<> coroutine;
  };
  using Waits = std::multimap<Clock::time_point, Wait>;
  friend class AsyncCall;

  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  Waits waits_;
  std::vector<std::thread> threads_;
  bool ending_ = false;
};

/// One execution of an asynchronous handler. It ends itself.
///
/// Threads: the one that runs the coroutine; stop() any.
///
/// Invariant: once the coroutine has suspended, the thread that began it touches nothing of this, as
/// the coroutine may have gone on elsewhere and ended.
class AsyncCall {
 public:
  /// How a call goes on, in the frame of `run`.
  struct Begun {
    enum class As { running, ended, deferred, waited_for };
    As as = As::running;
    std::int32_t result = WEIR_FAILED;  ///< once it has ended
    std::mutex mutex;                   ///< guards these when it is waited for
    std::condition_variable changed;
  };

  AsyncCall(const weir_host& host, weir_call& call, Begun& begun)
      : host_(host), call_(&call), context_(host, call), begun_(&begun) {}
  AsyncCall(const AsyncCall&) = delete;
  AsyncCall& operator=(const AsyncCall&) = delete;

  Context& context() noexcept { return context_; }
  const weir_host& host() const noexcept { return host_; }
  weir_call* call() const noexcept { return call_; }

  /// Before the coroutine suspends: the call must outlive `run` from here on.
  void before_suspension() {
    if (begun_ == nullptr || begun_->as != Begun::As::running) return;
    async_ = extension_of<weir_async>(host_, WEIR_ASYNC_V1);
    weir_call* const deferred = async_ == nullptr ? nullptr : async_->defer(call_);
    if (deferred == nullptr) {
      async_ = nullptr;
      begun_->as = Begun::As::waited_for;
      return;
    }
    call_ = context_.call_ = deferred;
    std::exchange(begun_, nullptr)->as = Begun::As::deferred;
    async_->on_stop(
        call_, [](void* self) { Timers::of_library().stop(*static_cast<AsyncCall*>(self)); }, this);
  }

  /// What `run` returns; waits for it where the call could not be deferred.
  static std::int32_t result_of(Begun& begun, AsyncCall& self, const weir_host& host,
                                weir_call* call) {
    std::unique_lock lock(begun.mutex);
    if (begun.as == Begun::As::deferred) return WEIR_PENDING;
    const auto has_ended = [&] { return begun.as == Begun::As::ended; };
    for (bool told = false; !has_ended();) {
      // Nobody tells a call that is not deferred to stop.
      if (!told && host.cancelled(call) != 0) {
        told = true;
        Timers::of_library().stop(self);
      }
      if (told)
        begun.changed.wait(lock, has_ended);
      else
        begun.changed.wait_for(lock, std::chrono::milliseconds(10), has_ended);
    }
    return begun.result;
  }

  /// The coroutine is gone.
  void end(std::int32_t result) {
    if (begun_ != nullptr) {
      Begun& begun = *begun_;
      const std::scoped_lock lock(begun.mutex);
      begun.result = result;
      begun.as = Begun::As::ended;
      begun.changed.notify_all();  // under the lock: `run` has the object
      delete this;
      return;
    }
    async_->complete(call_, result);
    delete this;  // nothing stops it any more
  }

  /// Lets the time pass at once where the host has virtual time: such a host defers no call. False:
  /// wait for it.
  bool pass(Timers::Clock::duration duration) const {
    return begun_ != nullptr && pass_virtual_time(host_, call_, duration);
  }

  /// Thrown out of waits once the work should stop.
  void check() const {
    if (context_.cancelled()) throw cancelled();
  }

  /// Resumes it on this thread, which works for this call until it suspends again.
  static void resume(AsyncCall& self, std::coroutine_handle<> coroutine) {
    const weir_async* const async = self.async_;
    weir_call* const call = self.call_;
    if (async != nullptr) async->enter(call);
    coroutine.resume();  // `self` may be gone then
    if (async != nullptr) async->leave(call);
  }

 private:
  friend class Timers;
  ~AsyncCall() = default;

  const weir_host& host_;
  weir_call* call_;
  Context context_;
  Begun* begun_;                       ///< null: it is deferred
  const weir_async* async_ = nullptr;  ///< once it is deferred
  // Guarded by the mutex of Timers.
  std::optional<Timers::Waits::iterator> wait_;
  bool stopped_ = false;
};

inline void Timers::resume_at(Clock::time_point time, AsyncCall& call,
                              std::coroutine_handle<> coroutine) {
  {
    const std::scoped_lock lock(mutex_);
    if (threads_.size() < threads_max() && !ending_) threads_.emplace_back([this] { run(); });
    call.wait_ = waits_.emplace(call.stopped_ ? Clock::time_point() : time,
                                Wait{.call = &call, .coroutine = coroutine});
  }
  changed_.notify_one();
}

inline void Timers::stop(AsyncCall& call) {
  {
    const std::scoped_lock lock(mutex_);
    call.stopped_ = true;
    if (!call.wait_) return;
    const Wait wait = (*call.wait_)->second;
    waits_.erase(*call.wait_);
    call.wait_ = waits_.emplace(Clock::time_point(), wait);
  }
  changed_.notify_one();
}

inline void Timers::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (waits_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = waits_.begin();
    if (first->first > Clock::now()) {
      changed_.wait_until(lock, Clock::time_point(first->first));
      continue;
    }
    const Wait wait = first->second;
    waits_.erase(first);
    wait.call->wait_.reset();
    lock.unlock();
    AsyncCall::resume(*wait.call, wait.coroutine);
    lock.lock();
  }
}

/// What a wait of that long resumes to.
struct SleepAwaiter {
  AsyncCall& call;
  Timers::Clock::duration duration;
  bool throws;

  // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it is set
  bool await_ready() const { return call.pass(duration); }
  void await_suspend(std::coroutine_handle<> coroutine) const {
    const auto now = Timers::Clock::now();
    call.before_suspension();  // NOLINT(clang-analyzer-core.CallAndMessage): it is set
    const bool for_ever = duration >= Timers::Clock::time_point::max() - now;
    Timers::of_library().resume_at(for_ever ? Timers::Clock::time_point::max() : now + duration,
                                   call, coroutine);
  }
  void await_resume() const {
    if (throws) call.check();
  }
};

/// Another awaitable of a coroutine of this call.
template <class Awaiter>
struct Suspending {
  AsyncCall& call;
  Awaiter awaiter;

  bool await_ready() { return awaiter.await_ready(); }
  template <class Promise>
  decltype(auto) await_suspend(std::coroutine_handle<Promise> coroutine) {
    call.before_suspension();  // NOLINT(clang-analyzer-core.CallAndMessage): it is set
    return awaiter.await_suspend(coroutine);
  }
  decltype(auto) await_resume() { return awaiter.await_resume(); }
};

template <class Awaitable>
decltype(auto) awaiter_of(Awaitable&& awaitable) {
  if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); })
    return std::forward<Awaitable>(awaitable).operator co_await();
  else if constexpr (requires { operator co_await(std::forward<Awaitable>(awaitable)); })
    return operator co_await(std::forward<Awaitable>(awaitable));
  else
    return std::forward<Awaitable>(awaitable);
}

/// What all coroutines of a call have.
struct AsyncPromise {
  AsyncCall* call = nullptr;
  std::coroutine_handle<> continuation{};  ///< who waits for this one
  std::exception_ptr error{};

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      return ended.promise().continuation;
    }
    void await_resume() const noexcept {}
  };
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }

  SleepAwaiter await_transform(Sleep sleep) const { return {*call, sleep.duration, true}; }
  SleepAwaiter await_transform(Stopped) const {
    return {*call, Timers::Clock::duration::max(), false};
  }
  template <class T>
  auto await_transform(Async<T> other) const;
  template <class Awaitable>
  auto await_transform(Awaitable&& awaitable) const {
    using Awaiter = decltype(awaiter_of(std::forward<Awaitable>(awaitable)));
    return Suspending<Awaiter>{*call, awaiter_of(std::forward<Awaitable>(awaitable))};
  }
};

template <class T>
struct ValuePromise : AsyncPromise {
  std::optional<T> value;
  template <class From = T>
  void return_value(From&& from) {
    value.emplace(std::forward<From>(from));
  }
  T take() {
    if (error) std::rethrow_exception(error);
    return *std::move(value);
  }
};
template <>
struct ValuePromise<void> : AsyncPromise {
  void return_void() const noexcept {}
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace sdk

/// What an asynchronous handler returns: a coroutine whose co_return gives a T. Handlers can wait for
/// others: `const Quote quote = co_await ask(context, order);`. It begins when it is waited for.
template <class T = void>
class [[nodiscard]] Async {
 public:
  struct promise_type : sdk::ValuePromise<T> {
    Async get_return_object() noexcept {
      return Async(std::coroutine_handle<promise_type>::from_promise(*this));
    }
  };

  Async(Async&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Async& operator=(Async other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Async() {
    if (coroutine_) coroutine_.destroy();
  }

 private:
  friend struct sdk::AsyncPromise;
  explicit Async(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

namespace sdk {

// No suspension of the call: the other one begins on this thread.
template <class T>
auto AsyncPromise::await_transform(Async<T> other) const {
  struct Awaiter {
    AsyncCall* call;
    Async<T> other;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
      auto& promise = other.coroutine_.promise();
      promise.call = call;
      promise.continuation = waiting;
      return other.coroutine_;
    }
    T await_resume() const { return other.coroutine_.promise().take(); }
  };
  return Awaiter{call, std::move(other)};
}

/// The coroutine around a handler: it begins at once, and ends the call.
struct Drive {
  struct promise_type : AsyncPromise {
    std::int32_t result = WEIR_FAILED;

    promise_type(AsyncCall& of, const auto&...) { call = &of; }
    Drive get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    struct End {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
        AsyncCall& call = *ended.promise().call;
        const std::int32_t ended_with = ended.promise().result;
        ended.destroy();
        call.end(ended_with);
      }
      void await_resume() const noexcept {}
    };
    End final_suspend() const noexcept { return {}; }
    void return_value(std::int32_t ended_with) noexcept { result = ended_with; }
    void unhandled_exception() const noexcept { std::terminate(); }  // drive() catches all
  };
};

template <auto handler>
Drive drive(AsyncCall& call, std::string_view input) {
  using Types = SignatureOf<handler>;
  try {
    std::string output;
    if constexpr (Types::returns) {
      const typename Types::Result result = co_await invoke<handler>(call.context(), input);
      write_output<typename Types::Result>(call.context(), output, result);
    } else {
      co_await invoke<handler>(call.context(), input);
      output = "null";
    }
    co_return give_output(call.host(), call.call(), output);
  } catch (...) {
    co_return fail_with_exception(call.host(), call.call());
  }
}

template <auto handler>
std::int32_t run_async(const weir_host* host, weir_call* host_call, weir_str input,
                       void*) noexcept {
  try {
    AsyncCall::Begun begun;
    AsyncCall* const call = new AsyncCall(*host, *host_call, begun);
    drive<handler>(*call, std::string_view(input.data, input.size));
    return AsyncCall::result_of(begun, *call, *host, host_call);
  } catch (...) {  // no memory
    return fail_with_exception(*host, host_call);
  }
}

}  // namespace sdk
}  // namespace weir
