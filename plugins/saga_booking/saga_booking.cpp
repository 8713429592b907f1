#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <weir/flow.hpp>

#include "bookings.hpp"

namespace saga_booking {
namespace {

struct Trip {
  std::string trip;
  std::string books;
  std::int64_t rooms_left;
  double flight_price, hotel_price, budget;
};
WEIR_JSON(Trip, trip, books, rooms_left, flight_price, hotel_price, budget)

struct Booking {
  std::string booking;
  double price;
};
WEIR_JSON(Booking, booking, price)

struct Cancelled {
  bool cancelled;
};
WEIR_JSON(Cancelled, cancelled)

// The output of a step that may be skipped is optional: it is absent then.
struct BookedFlight {
  Booking flight;
};
WEIR_JSON(BookedFlight, flight)

struct Booked {
  Booking flight;
  std::optional<Booking> hotel;
};
WEIR_JSON(Booked, flight, hotel)

struct ToUndo {
  std::optional<Booking> hotel;
  std::optional<Booking> payment;
};
WEIR_JSON(ToUndo, hotel, payment)

struct ToUndoFirst {
  Booking flight;
  std::optional<Booking> payment;
};
WEIR_JSON(ToUndoFirst, flight, payment)

struct Paid {
  std::optional<Booking> payment;
};
WEIR_JSON(Paid, payment)

Booking flight(weir::Context&, const Trip& trip) {
  const bool plain = !trip.trip.empty() && std::ranges::all_of(trip.trip, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  if (!plain) throw weir::permanent("bad_trip", "a trip's name is letters a-z and digits");
  return {Bookings(trip.books).book(trip.trip, "flight"), trip.flight_price};
}

Booking hotel(weir::Context& context, const BookedFlight&) {
  const Trip trip = context.flow_input<Trip>();
  if (trip.rooms_left < 1) throw weir::permanent("no_room", "the hotel is full");
  return {Bookings(trip.books).book(trip.trip, "hotel"), trip.hotel_price};
}

Booking payment(weir::Context& context, const Booked& booked) {
  const Trip trip = context.flow_input<Trip>();
  const double total = booked.flight.price + booked.hotel->price;
  if (total > trip.budget)
    throw weir::permanent("over_budget", "the trip costs more than its budget");
  return {Bookings(trip.books).book(trip.trip, "payment"), total};
}

Cancelled cancel(const weir::Context& context, std::string_view what) {
  const Trip trip = context.flow_input<Trip>();
  return {Bookings(trip.books).cancel(trip.trip, what)};
}

Cancelled cancel_hotel(weir::Context& context, const ToUndo&) { return cancel(context, "hotel"); }

Cancelled cancel_flight(weir::Context& context, const ToUndoFirst&) {
  return cancel(context, "flight");
}

Booking confirm(weir::Context&, const Paid& paid) { return *paid.payment; }

}  // namespace

// A step that fails for good is skipped; the undoing steps test for the absence of its output.
WEIR_FLOW(
    saga_booking, "examples.SagaBooking", options().base_delay(100ms), step<flight>("flight"),
    step<hotel>("hotel").after("flight").when_exhausted(skip),
    step<payment>("payment")
        .after("flight", "hotel")
        .only_if(R"({"hotel": {}})")
        .when_exhausted(skip),
    step<cancel_hotel>("cancel_hotel")
        .after("hotel", "payment")
        .only_if(R"({"hotel": {}})")
        .unless(R"({"payment": {}})"),
    step<cancel_flight>("cancel_flight").after("flight", "payment").unless(R"({"payment": {}})"),
    step<confirm>("confirm").after("payment").only_if(R"({"payment": {}})"))
WEIR_PLUGIN(saga_booking)

}  // namespace saga_booking
