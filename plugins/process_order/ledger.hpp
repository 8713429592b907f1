#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <utility>

#include "money.hpp"

namespace process_order {

/// What was charged for one order.
struct Charge {
  std::int64_t order_id;
  Money amount;
  friend bool operator==(const Charge&, const Charge&) = default;
};

/// A folder that records charges, one file for each order:
///
///     order-123.json           {"order_id": 123, "amount": 99.99}
///     outbox/order-123.txt     the confirmation for the customer
///
/// Every operation is idempotent (write_once), so an attempt may die anywhere and be repeated, and
/// two may run at the same time. Expected refusals are errors in words, which no retry can fix;
/// failures that the host may fix (a full disk, too many open files) are thrown as
/// std::system_error.  [any thread]
class Ledger {
 public:
  /// Opens the folder, creating it when its parent exists. A relative path is relative to the
  /// working folder.
  static std::expected<Ledger, std::string> open(const std::filesystem::path& folder);

  /// A ledger that open() has seen before.
  static Ledger at(std::filesystem::path folder) { return Ledger(std::move(folder)); }

  /// Enters the charge and returns what the ledger holds, which is the same for every attempt. The
  /// error says that the order is there with another amount, or that its entry is damaged.
  std::expected<Charge, std::string> charge(const Charge& charge) const;

  /// Puts the confirmation into the outbox unless it is there already; returns its path.
  std::filesystem::path confirm(const Charge& charge) const;

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path entry(std::int64_t order_id) const;

 private:
  explicit Ledger(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace process_order
