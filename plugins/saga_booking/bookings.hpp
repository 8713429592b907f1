#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace saga_booking {

/// The books of an agency: a folder with one file for each thing a trip has booked. Booking twice
/// and cancelling twice are harmless, so that a step may be retried.
class Bookings {
 public:
  /// Makes the folder when it is not there. Throws std::filesystem::filesystem_error.
  explicit Bookings(std::filesystem::path folder);

  /// Returns the booking's name. Throws std::filesystem::filesystem_error.
  std::string book(std::string_view trip, std::string_view what);

  /// False when it was not booked, or is cancelled already.
  bool cancel(std::string_view trip, std::string_view what);

 private:
  std::filesystem::path place_of(std::string_view trip, std::string_view what) const;

  std::filesystem::path folder_;
};

}  // namespace saga_booking
