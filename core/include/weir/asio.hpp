/// Asynchronous handlers on Boost.Asio, for authors who have it: nothing else includes this.
///
///     boost::asio::awaitable<Page> fetch(weir::Context& context, Request request) {
///       tcp::socket socket(co_await boost::asio::this_coro::executor);
///       co_await socket.async_connect(request.endpoint, boost::asio::use_awaitable);
///       …
///     }
///
/// A handler that returns boost::asio::awaitable<T> is a coroutine on the executor of its call. It
/// begins in a slot of the worker, and keeps it until it waits; it goes on, when an operation has
/// ended, on one of the threads on which the SDK runs an io_context, at most four in a plugin, for all
/// of its calls. Whatever runs on the call's executor, also other coroutines and callbacks, runs one
/// after the other. What the handler returns and throws means the same as in any other. Input is taken
/// by value.
///
/// Once the work should stop, its timeout passed, its run was cancelled or the worker drains, the
/// operation that the handler waits for is cancelled, as Asio's per-operation cancellation does, with
/// every type. It ends with operation_aborted, and so does each co_await after it. Let that leave the
/// handler: it is then as weir::cancelled. An operation_aborted that has another cause is an ordinary
/// failure. Operations that Asio cannot cancel (resolving a name) end by themselves.
///
/// The call is deferred before the handler begins (weir/abi/async.h). Where the host defers none (in
/// tests, or when too many calls are pending), all that runs on the executor runs on the thread of the
/// call, which waits.
///
/// What a handler starts and does not wait for must not use its context, which ends with it, and is
/// destroyed with the plugin.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <weir/abi/async.h>
#include <weir/abi/plugin.h>
#include <weir/async.hpp>
#include <weir/context.hpp>
#include <weir/sdk/extension.hpp>
#include <weir/sdk/handler.hpp>
#include <weir/sdk/virtual_time.hpp>

namespace weir {
namespace sdk {

/// The io_context of a library, with threads that run it. It ends with the library's static objects;
/// what is pending then is destroyed.  [any thread]
class AsioThreads {
 public:
  static AsioThreads& of_library() {
    static AsioThreads threads;
    return threads;
  }

  AsioThreads(const AsioThreads&) = delete;
  AsioThreads& operator=(const AsioThreads&) = delete;
  ~AsioThreads() {
    context_.stop();
    for (std::thread& thread : threads_)
      if (thread.get_id() == std::this_thread::get_id())
        thread.detach();  // a handler ends the process
      else
        thread.join();
  }

  boost::asio::io_context& context() noexcept { return context_; }
  bool has_this_thread() const noexcept { return context_.get_executor().running_in_this_thread(); }

 private:
  AsioThreads() {
    while (threads_.size() < Timers::threads_max()) try {
        threads_.emplace_back([this] { context_.run(); });
      } catch (const std::system_error&) {
        if (threads_.empty()) throw;
        return;
      }
  }

  mutable boost::asio::io_context context_;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::vector<std::thread> threads_;
};

/// One execution of a handler, and what its executor stands for.
///
/// Threads: execute() and stop() any, run() that of the handler's call.
///
/// Invariants:
/// - One thread at a time runs what execute() was given, in that order.
/// - The host learns of the end once, and only here: also when the coroutine is destroyed before it
///   has ended, because nothing will resume it any more.
/// - No call of the host's functions is made with an address after `run` has returned.
/// - The signal that stops the coroutine belongs to the coroutine: what Asio keeps in a signal holds
///   the executor, and this through it.
class AsioCall : public std::enable_shared_from_this<AsioCall> {
 public:
  using Signal = boost::asio::cancellation_signal;

  AsioCall(const weir_host& host, weir_call& call, const std::shared_ptr<Signal>& signal)
      : signal_(signal),
        host_(host),
        async_(extension_of<weir_async>(host, WEIR_ASYNC_V1)),
        call_(deferred(async_, call)),
        context_(host, *call_) {}
  AsioCall(const AsioCall&) = delete;
  AsioCall& operator=(const AsioCall&) = delete;
  ~AsioCall() = default;

  Context& context() noexcept { return context_; }

  /// As pass_virtual_time.
  static std::optional<bool> pass(const Context& context, std::chrono::nanoseconds duration) {
    return pass_virtual_time(*context.host_, context.call_, duration);
  }

  /// Begins the coroutine that drive() makes, which `signal` stops; returns what `run` returns.
  template <class Drive>
  std::int32_t run(std::shared_ptr<Signal> signal, Drive drive);

  /// Runs it now, if it may run here and this thread runs the call's work already, or could; else
  /// soon.
  template <class Function>
  void execute(Function&& function, bool may_run_here) {
    if (may_run_here && running() == this) return std::forward<Function>(function)();
    std::unique_ptr<Work> work = work_of(std::forward<Function>(function));
    bool posts = false, runs = false;
    {
      const std::scoped_lock lock(mutex_);
      posts = !is_busy_;
      runs = posts && may_run_here && running() == nullptr && threads_.has_this_thread();
      if (!runs) {
        waiting_.push_back(std::move(work));
        changed_.notify_all();
      }
      is_busy_ = true;
    }
    if (runs) {
      Works works;
      works.push_back(std::move(work));
      run_posted(std::move(works));
    } else if (posts) {
      boost::asio::post(threads_.context(), Posted(shared_from_this()));
    }
  }

  /// What the handler threw, in a catch clause: what `run` returns then.
  std::int32_t failed() const noexcept {
    try {
      return is_abort(std::current_exception()) && context_.cancelled()
                 ? std::int32_t{WEIR_CANCELLED}
                 : fail_with_exception(host_, call_);
    } catch (...) {  // no memory
      return WEIR_FAILED;
    }
  }
  std::int32_t gave(std::string_view output) const { return give_output(host_, call_, output); }

  /// How it ended, once it has.
  std::int32_t result = WEIR_FAILED;

 private:
  struct Work {
    Work() = default;
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    virtual ~Work() = default;
    virtual void run() = 0;
  };
  using Works = std::vector<std::unique_ptr<Work>>;

  template <class Function>
  static std::unique_ptr<Work> work_of(Function&& function) {
    using Held = std::decay_t<Function>;
    struct Of final : Work {
      explicit Of(Function&& given) : held(std::forward<Function>(given)) {}
      void run() override { std::move(held)(); }
      Held held;
    };
    return std::make_unique<Of>(std::forward<Function>(function));
  }

  /// Among the work of the io_context: what waits for this call.
  class Posted {
   public:
    explicit Posted(std::shared_ptr<AsioCall> call) noexcept : call_(std::move(call)) {}
    Posted(Posted&&) noexcept = default;
    Posted& operator=(Posted&&) = delete;
    ~Posted() {
      if (call_) call_->take();  // the io_context ends
    }
    void operator()() {
      const std::shared_ptr<AsioCall> call = std::move(call_);
      call->run_posted(call->take());
    }

   private:
    std::shared_ptr<AsioCall> call_;
  };

  /// Belongs to the coroutine: completes the call when it has ended, or is destroyed.
  class Ends {
   public:
    Ends(std::shared_ptr<AsioCall> call, std::shared_ptr<Signal> signal) noexcept
        : call_(std::move(call)), signal_(std::move(signal)) {}
    Ends(Ends&&) noexcept = default;
    Ends& operator=(Ends&&) = delete;
    ~Ends() {
      if (!call_) return;
      constexpr std::string_view code = "abandoned";
      constexpr std::string_view why = "what the handler waited for was destroyed before it ended";
      call_->host_.fail(call_->call_, WEIR_FAILED, {code.data(), code.size()},
                        {why.data(), why.size()}, 0);
      call_->end(WEIR_FAILED);
    }
    void operator()(const std::exception_ptr&) {
      const std::shared_ptr<AsioCall> call = std::move(call_);
      call->end(call->result);
    }

   private:
    std::shared_ptr<AsioCall> call_;
    std::shared_ptr<Signal> signal_;
  };

  /// Null `async`: it cannot be deferred.
  static weir_call* deferred(const weir_async*& async, weir_call& call) {
    weir_call* const deferred = async == nullptr ? nullptr : async->defer(&call);
    if (deferred == nullptr) async = nullptr;
    return deferred == nullptr ? &call : deferred;
  }

  static bool is_abort(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
      return error.code() == boost::asio::error::operation_aborted;
    } catch (const boost::asio::multiple_exceptions& errors) {
      return is_abort(errors.first_exception());
    } catch (...) {
      return false;
    }
  }

  /// Whose work this thread runs. What runs for one call does not run another's inside it.
  static const AsioCall*& running() noexcept {
    static thread_local const AsioCall* call = nullptr;
    return call;
  }

  Works take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(waiting_, {});
  }

  // An exception that leaves a callback ends the process.
  void run_works(Works works) noexcept {
    const AsioCall* const outer = std::exchange(running(), this);
    for (auto& work : works) std::exchange(work, nullptr)->run();
    running() = outer;
  }
  /// On a thread of the io_context.
  void run_posted(Works works) noexcept {
    if (async_ != nullptr) async_->enter(call_);
    run_works(std::move(works));
    if (async_ != nullptr) async_->leave(call_);
    {
      const std::scoped_lock lock(mutex_);
      is_busy_ = !waiting_.empty();
      if (!is_busy_) return;
    }
    boost::asio::post(threads_.context(), Posted(shared_from_this()));  // after others' work
  }

  void stop() {
    execute([this] { emit(); }, false);
  }
  void emit() {
    if (const std::shared_ptr<Signal> signal = signal_.lock())
      signal->emit(boost::asio::cancellation_type::all);
  }

  void end(std::int32_t ended_with) noexcept {
    if (async_ != nullptr) {
      async_->complete(call_, ended_with);
      return;
    }
    const std::scoped_lock lock(mutex_);
    ended_with_ = ended_with;
    changed_.notify_all();
  }

  AsioThreads& threads_ = AsioThreads::of_library();  // before the call is deferred: it may throw
  const std::weak_ptr<Signal> signal_;
  const weir_host& host_;
  const weir_async* async_;  ///< null: it is not deferred
  weir_call* const call_;
  Context context_;

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  Works waiting_;
  bool is_busy_ = true;  ///< a thread runs work of this call, or will; at first that of the call
  std::optional<std::int32_t> ended_with_;  ///< where it is not deferred
};

/// Runs the work of one call, one after the other: the executor of its coroutines.
class AsioExecutor {
 public:
  AsioExecutor(std::shared_ptr<AsioCall> call, bool may_run_here) noexcept
      : call_(std::move(call)), may_run_here_(may_run_here) {}

  template <class Function>
  void execute(Function&& function) const {
    call_->execute(std::forward<Function>(function), may_run_here_);
  }

  static boost::asio::execution_context& query(boost::asio::execution::context_t) {
    return AsioThreads::of_library().context();
  }
  boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) const noexcept {
    if (may_run_here_) return boost::asio::execution::blocking.possibly;
    return boost::asio::execution::blocking.never;
  }
  AsioExecutor require(boost::asio::execution::blocking_t::possibly_t) const noexcept {
    return {call_, true};
  }
  AsioExecutor require(boost::asio::execution::blocking_t::never_t) const noexcept {
    return {call_, false};
  }
  bool operator==(const AsioExecutor&) const noexcept = default;

 private:
  std::shared_ptr<AsioCall> call_;
  bool may_run_here_;
};

template <class Drive>
std::int32_t AsioCall::run(std::shared_ptr<Signal> signal, Drive drive) {
  const boost::asio::cancellation_slot slot = signal->slot();
  Ends ends(shared_from_this(), std::move(signal));
  if (async_ != nullptr)
    async_->on_stop(call_, [](void* self) { static_cast<AsioCall*>(self)->stop(); }, this);
  {
    const AsioCall* const outer = std::exchange(running(), this);
    struct Restores {
      const AsioCall* outer;
      ~Restores() { running() = outer; }
    } const restores{outer};
    boost::asio::co_spawn(boost::asio::any_io_executor(AsioExecutor(shared_from_this(), true)),
                          drive(*this), boost::asio::bind_cancellation_slot(slot, std::move(ends)));
  }
  std::unique_lock lock(mutex_);
  for (bool told = false;;) {
    if (!waiting_.empty()) {
      Works works = std::exchange(waiting_, {});
      lock.unlock();
      run_works(std::move(works));
      lock.lock();
    } else if (async_ != nullptr || ended_with_) {
      is_busy_ = false;
      return async_ != nullptr ? std::int32_t{WEIR_PENDING} : *ended_with_;
    } else if (told) {
      changed_.wait(lock);
    } else if (host_.cancelled(call_) != 0) {  // nobody tells a call that is not deferred to stop
      told = true;
      waiting_.push_back(work_of([this] { emit(); }));
    } else {
      changed_.wait_for(lock, std::chrono::milliseconds(10));
    }
  }
}

/// The coroutine around a handler, which catches all that it throws.
template <auto handler>
boost::asio::awaitable<void> drive_asio(AsioCall& call, std::string_view input) {
  using Types = SignatureOf<handler>;
  try {
    std::string output;
    if constexpr (Types::returns) {
      const typename Types::Result value = co_await invoke<handler>(call.context(), input);
      write_output<typename Types::Result>(call.context(), output, value);
    } else {
      co_await invoke<handler>(call.context(), input);
      output = "null";
    }
    call.result = call.gave(output);
  } catch (...) {
    call.result = call.failed();
  }
}

template <auto handler>
std::int32_t run_asio(const weir_host* host, weir_call* host_call, weir_str input, void*) noexcept {
  std::shared_ptr<AsioCall> call;
  try {
    auto signal = std::make_shared<AsioCall::Signal>();
    call = std::make_shared<AsioCall>(*host, *host_call, signal);
    const std::string_view text(input.data, input.size);
    return call->run(std::move(signal),
                     [text](AsioCall& of) { return drive_asio<handler>(of, text); });
  } catch (...) {  // no memory, or no thread
    return fail_with_exception(*host, host_call);
  }
}

template <class T>
struct Returned<boost::asio::awaitable<T>> {
  using Type = T;
  static constexpr bool is_async = true;
  template <auto handler>
  static constexpr auto run = &sdk::run_asio<handler>;
};

}  // namespace sdk

/// The io_context of this plugin's library, for what several calls share, such as a pool of
/// connections that is a resource (Context::resource). The SDK runs it. A crash in what runs there and
/// on no call's executor is charged to no attempt.
inline boost::asio::io_context& asio_context() { return sdk::AsioThreads::of_library().context(); }

/// `co_await weir::asio_sleep(context, 5s)` in a handler, or in what it waits for, waits that long. Once
/// the work should stop it throws, as every other operation does. In virtual time (FlowRunner) it
/// passes at once.
template <class Rep, class Period>
boost::asio::awaitable<void> asio_sleep(Context& context,
                                        std::chrono::duration<Rep, Period> duration) {
  const auto until_end = context.sleep(duration).duration;
  if (const auto passed = sdk::AsioCall::pass(context, until_end)) {
    if (*passed) co_return;
    throw boost::system::system_error(boost::asio::error::operation_aborted);
  }
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, until_end);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace weir
