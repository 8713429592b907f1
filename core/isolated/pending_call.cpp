#include "isolated/pending_call.hpp"

#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "run/journal_row.hpp"
#include "step/step_call.hpp"

namespace weir {
namespace {

constexpr std::chrono::milliseconds cancel_interval{20};

weir_str text_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::int32_t pass_on(const ResultMessage& result, const weir_host& host, weir_call* call) {
  const auto outcome = static_cast<Outcome>(result.fixed.outcome);
  if (outcome == Outcome::completed) {
    host.output(call, text_of(result.text));
    return WEIR_OK;
  }
  const std::int32_t kind =
      outcome == Outcome::failed_for_good ? WEIR_FAILED_FOR_GOOD : WEIR_FAILED;
  host.fail(call, kind, text_of(result.code), text_of(result.text),
            static_cast<std::uint64_t>(result.fixed.retry_after_ms));
  return kind;
}

std::int32_t fail_call(const weir_host& host, weir_call* call, std::string_view code,
                       std::string_view message) {
  host.fail(call, WEIR_FAILED, text_of(code), text_of(message), 0);
  return WEIR_FAILED;
}

PendingCall::PendingCall(const weir_host& host, weir_call* call, std::uint64_t number,
                         const std::string& label, std::shared_ptr<StopLine> stops)
    : host_(host), call_(call), number_(number), label_(label), stops_(std::move(stops)) {
  constexpr std::string_view id = WEIR_ASYNC_V1;
  const auto* const async =
      static_cast<const weir_async*>(host.extension(&host, {id.data(), id.size()}));
  weir_call* const deferred = async == nullptr ? nullptr : async->defer(call);
  if (deferred == nullptr) return;
  call_ = deferred;
  async_ = async;
  async_->on_stop(
      call_,
      [](void* user) {
        const auto& self = *static_cast<PendingCall*>(user);
        self.stops_->stop(self.number_);
      },
      this);
}

void PendingCall::log(std::int32_t level, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!has_ended_) host_.log(call_, level, text_of(text));
}

void PendingCall::answer(const ResultMessage& result) {
  end([&] { return pass_on(result, host_, call_); }, End::As::answered);
}

void PendingCall::crash(std::string_view message) {
  end([&] { return fail_call(host_, call_, "worker_crashed", message); }, End::As::answered);
}

void PendingCall::give_back() {
  if (is_deferred()) return weir::give_back(call_);
  end([] { return WEIR_CANCELLED; }, End::As::given_back);
}

void PendingCall::end(const std::function<std::int32_t()>& tell, End::As as) {
  if (is_deferred()) {
    async_->complete(call_, tell());  // on_stop uses this object until then
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (has_ended_) return;  // it was given up
    end_ = {.as = as, .returned = tell()};
    has_ended_ = true;
  }
  ended_.notify_one();
}

PendingCall::End PendingCall::wait(std::chrono::milliseconds grace) {
  WEIR_ASSERT(!is_deferred());
  std::optional<std::chrono::steady_clock::time_point> give_up_at;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, cancel_interval, [this] { return has_ended_; })) {
    const auto now = std::chrono::steady_clock::now();
    if (give_up_at && now >= *give_up_at) {
      has_ended_ = true;
      return {.as = End::As::given_up};
    }
    if (!give_up_at && host_.cancelled(call_) != 0) {
      give_up_at = now + grace;
      stops_->stop(number_);
    }
  }
  return end_;
}

}  // namespace weir
