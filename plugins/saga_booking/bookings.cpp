#include "bookings.hpp"

#include <fstream>
#include <system_error>
#include <utility>

namespace saga_booking {
namespace fs = std::filesystem;

Bookings::Bookings(fs::path folder) : folder_(std::move(folder)) {
  fs::create_directories(folder_);
}

std::string Bookings::book(std::string_view trip, std::string_view what) {
  const fs::path place = place_of(trip, what);
  std::ofstream file(place);
  file << what << " for " << trip << '\n';
  file.close();
  if (!file)
    throw fs::filesystem_error("cannot book", place, std::make_error_code(std::errc::io_error));
  return place.filename().string();
}

bool Bookings::cancel(std::string_view trip, std::string_view what) {
  return fs::remove(place_of(trip, what));
}

fs::path Bookings::place_of(std::string_view trip, std::string_view what) const {
  return folder_ / (std::string(trip) + "-" + std::string(what) + ".txt");
}

}  // namespace saga_booking
