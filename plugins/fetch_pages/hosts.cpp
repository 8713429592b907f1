#include "hosts.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace fetch_pages {

boost::asio::awaitable<Hosts::Turn> Hosts::turn(std::string host, std::size_t at_most) {
  std::shared_ptr<Places> place = places(host, at_most);
  co_await place->async_send(boost::system::error_code(), boost::asio::use_awaitable);
  co_return Turn(std::move(place));
}

std::shared_ptr<Hosts::Places> Hosts::places(const std::string& host, std::size_t at_most) {
  const std::scoped_lock lock(mutex_);
  if (places_.size() >= forgets_at_) {
    std::erase_if(places_, [](const auto& each) { return each.second.expired(); });
    forgets_at_ = 2 * places_.size() + 64;
  }
  std::weak_ptr<Places>& known = places_[{host, at_most}];
  std::shared_ptr<Places> places = known.lock();
  if (!places) known = places = std::make_shared<Places>(executor_, at_most);
  return places;
}

std::size_t Hosts::size() const {
  const std::scoped_lock lock(mutex_);
  return places_.size();
}

}  // namespace fetch_pages
