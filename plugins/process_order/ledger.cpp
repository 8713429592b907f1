#include "ledger.hpp"

#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "write_once.hpp"

namespace process_order {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string order_name(std::int64_t order_id) { return "order-" + std::to_string(order_id); }

/// Whether this refusal of the file system is permanent, so that a retry cannot help.
bool stays(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM ||
         error == EROFS || error == ENAMETOOLONG || error == ELOOP;
}

/// 0 when the folder is there now and can be written to; else the errno that says why not.
int folder_trouble(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return errno;
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return ::access(folder.c_str(), R_OK | W_OK | X_OK) == 0 ? 0 : errno;
}

std::expected<void, std::string> make_folder(const fs::path& folder) {
  const std::error_code error(folder_trouble(folder), std::generic_category());
  if (!error) {
    sync_folder(folder.parent_path());
    return {};
  }
  if (!stays(error.value())) throw std::system_error(error, folder.string());
  return std::unexpected(
      "ledger " + folder.string() + " is no folder to write to: " + error.message() +
      (error == std::errc::no_such_file_or_directory ? " (the folder above it must exist)" : ""));
}

/// nullopt when the text is no entry.
std::optional<Charge> parse_entry(std::string_view text) {
  json::error_code error;
  const json::value entry = json::parse(text, error);
  if (error || !entry.is_object()) return std::nullopt;
  const json::value* order_id = entry.get_object().if_contains("order_id");
  const json::value* amount = entry.get_object().if_contains("amount");
  if (order_id == nullptr || !order_id->is_int64() || amount == nullptr || !amount->is_number())
    return std::nullopt;
  const auto money = Money::parse(amount->to_number<double>());
  if (!money) return std::nullopt;
  return Charge{order_id->get_int64(), *money};
}

std::string entry_text(const Charge& charge) {
  return R"({"order_id": )" + std::to_string(charge.order_id) + R"(, "amount": )" +
         charge.amount.text() + "}\n";
}

std::string confirmation_text(const Charge& charge) {
  return "Thank you for your order " + std::to_string(charge.order_id) + ".\n" +  //
         "We have charged " + charge.amount.text() + ".\n";
}

}  // namespace

std::expected<Ledger, std::string> Ledger::open(const fs::path& folder) {
  if (folder.empty())
    return std::unexpected("ledger is empty: name the folder that keeps the entries");
  Ledger ledger((fs::absolute(folder) / "").lexically_normal().parent_path());
  for (const fs::path& needed : {ledger.folder_, ledger.folder_ / "outbox"}) {
    if (auto made = make_folder(needed); !made) return std::unexpected(std::move(made).error());
  }
  return ledger;
}

fs::path Ledger::entry(std::int64_t order_id) const {
  return folder_ / (order_name(order_id) + ".json");
}

std::expected<Charge, std::string> Ledger::charge(const Charge& charge) const {
  const std::string text =
      write_once(folder_, entry(charge.order_id).filename(), entry_text(charge));
  const std::optional<Charge> settled = parse_entry(text);
  const std::string order = "order " + std::to_string(charge.order_id);
  if (!settled || settled->order_id != charge.order_id) {
    return std::unexpected(entry(charge.order_id).string() + " is no entry for " + order +
                           ": mend or remove it");
  }
  if (settled->amount != charge.amount) {
    return std::unexpected(order + " is already charged with " + settled->amount.text() + " in " +
                           entry(charge.order_id).string() + ", so it cannot be charged with " +
                           charge.amount.text());
  }
  return *settled;
}

fs::path Ledger::confirm(const Charge& charge) const {
  const std::string name = order_name(charge.order_id) + ".txt";
  write_once(folder_ / "outbox", name, confirmation_text(charge));
  return folder_ / "outbox" / name;
}

}  // namespace process_order
