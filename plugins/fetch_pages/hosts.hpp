#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>

namespace fetch_pages {

/// Which hosts are being asked, so that none is asked by too many at a time. Those that are too many
/// wait without a thread, first come, first served.  [any thread]
class Hosts {
  /// Has a place for each that may go at a time; a full one is waited for.
  using Places = boost::asio::experimental::concurrent_channel<void(boost::system::error_code)>;

 public:
  /// The waits are kept on `executor`, which outlives this.
  explicit Hosts(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Hosts(Hosts&& other) noexcept : executor_(std::move(other.executor_)) {}  // before it is used
  Hosts& operator=(Hosts&&) = delete;
  ~Hosts() = default;

  /// While it lives, its holder may ask the host.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<Places> places) noexcept : places_(std::move(places)) {}
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (places_) places_->try_receive([](boost::system::error_code) {});
    }

   private:
    std::shared_ptr<Places> places_;
  };

  /// Waits until less than `at_most` ask the host by the same limit: each limit counts by itself.
  boost::asio::awaitable<Turn> turn(std::string host, std::size_t at_most);

  /// How many it remembers, those that nobody asks any more included.
  std::size_t size() const;

 private:
  std::shared_ptr<Places> places(const std::string& host, std::size_t at_most);

  boost::asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::size_t>, std::weak_ptr<Places>> places_;
  std::size_t forgets_at_ = 64;  ///< then those that nobody asks are forgotten
};

}  // namespace fetch_pages
