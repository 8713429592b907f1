#include "serve/serve_orders.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir {
namespace {

namespace json = boost::json;

std::unexpected<Error> bad(std::string message) {
  return std::unexpected(Error{.code = ErrorCode::corrupt,
                               .kind = "bad_orders",
                               .message = "the orders cannot be read: " + std::move(message),
                               .hint = "only \"weir serve\" gives orders"});
}

std::unexpected<Error> no_memory() {
  return std::unexpected(
      Error{.code = ErrorCode::unavailable,
            .kind = "out_of_descriptors",
            .message = std::string("cannot make a file in memory: ") + std::strerror(errno),
            .hint = "raise the limit of open files"});
}

// Both processes have the same steady clock: it counts from the start of the machine.
std::int64_t count(Steady time) { return time.time_since_epoch().count(); }
Steady steady(const json::value& count) { return Steady(Steady::duration(count.as_int64())); }

json::value of_record(const Quarantine::Record& record) {
  json::array crashes;
  for (const Steady crash : record.crashes) crashes.emplace_back(count(crash));
  json::object object{{"sha256", record.sha256},
                      {"crashes", std::move(crashes)},
                      {"last_ms", record.last.count()},
                      {"load_crash", record.load_crash}};
  if (record.until) object["until"] = count(*record.until);
  return object;
}

Quarantine::Record to_record(const json::object& object) {
  Quarantine::Record record{.sha256 = std::string(object.at("sha256").as_string()),
                            .crashes = {},
                            .until = {},
                            .last = std::chrono::milliseconds(object.at("last_ms").as_int64()),
                            .load_crash = std::string(object.at("load_crash").as_string())};
  for (const json::value& crash : object.at("crashes").as_array())
    record.crashes.push_back(steady(crash));
  if (const json::value* const until = object.if_contains("until")) record.until = steady(*until);
  return record;
}

json::value of_trial(const ServeOrders::Trial& trial) {
  json::array suspects;
  for (const InFlightTask& suspect : trial.suspects)
    suspects.push_back(
        json::array{suspect.run, suspect.task.step, suspect.task.index, suspect.attempt});
  return json::object{{"of", json::array(trial.of.begin(), trial.of.end())},
                      {"suspects", std::move(suspects)}};
}

ServeOrders::Trial to_trial(const json::object& object) {
  ServeOrders::Trial trial;
  for (const json::value& worker : object.at("of").as_array())
    trial.of.push_back(worker.to_number<WorkerId>());
  for (const json::value& suspect : object.at("suspects").as_array()) {
    const json::array& numbers = suspect.as_array();
    trial.suspects.push_back({.run = numbers.at(0).to_number<RunKey>(),
                              .task = {.step = numbers.at(1).to_number<std::size_t>(),
                                       .index = numbers.at(2).to_number<std::size_t>()},
                              .attempt = numbers.at(3).to_number<int>()});
  }
  return trial;
}

Result<Config> config_of(const json::object& orders) {
  const std::filesystem::path folder = std::string(orders.at("folder").as_string());
  const json::value* const text = orders.if_contains("config");
  if (text == nullptr) return default_config(folder);
  auto config = parse_config(
      SourceText(std::string(orders.at("name").as_string()), std::string(text->as_string())),
      folder);
  if (!config) return std::unexpected(std::move(config.error().front()));
  return *std::move(config);
}

}  // namespace

Quarantine::Limit quarantine_limit(const Config& config) {
  Quarantine::Limit limit{.max_crashes = config.plugins.max_crashes,
                          .window = config.plugins.crash_window,
                          .first = config.plugins.quarantine};
  limit.longest = std::max(limit.longest, limit.first);
  return limit;
}

std::string to_text(const ServeOrders& orders) {
  json::array quarantine;
  for (const Quarantine::Record& record : orders.quarantine)
    quarantine.push_back(of_record(record));
  json::object object{{"parent", orders.parent},
                      {"folder", orders.config.folder.string()},
                      {"database", orders.database},
                      {"stage", orders.stage.string()},
                      {"quarantine", std::move(quarantine)},
                      {"rescan", orders.rescan}};
  if (orders.config.source) {
    object["name"] = orders.config.source->name();
    object["config"] = orders.config.source->text();
  }
  if (orders.trial) object["trial"] = of_trial(*orders.trial);
  return json::serialize(object);
}

Result<ServeOrders> parse_orders(std::string_view text) {
  try {
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // folder names may be any bytes
    const json::value parsed = json::parse({text.data(), text.size()}, {}, options);
    const json::object& object = parsed.as_object();
    auto config = config_of(object);
    if (!config) return std::unexpected(std::move(config.error()));
    ServeOrders orders{.parent = static_cast<pid_t>(object.at("parent").as_int64()),
                       .config = *std::move(config),
                       .database = std::string(object.at("database").as_string()),
                       .stage = std::string(object.at("stage").as_string()),
                       .rescan = object.at("rescan").as_bool()};
    for (const json::value& record : object.at("quarantine").as_array())
      orders.quarantine.push_back(to_record(record.as_object()));
    if (const json::value* const trial = object.if_contains("trial"))
      orders.trial = to_trial(trial->as_object());
    return orders;
  } catch (const std::exception& fault) {
    return bad(fault.what());
  }
}

Result<FileDescriptor> write_orders(const ServeOrders& orders) {
  FileDescriptor memory(::memfd_create("weir-orders", MFD_CLOEXEC));
  if (!memory) return no_memory();
  const std::string text = to_text(orders);
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t wrote = ::write(memory.fd(), rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return no_memory();
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return memory;
}

Result<ServeOrders> read_orders(const FileDescriptor& memory) {
  struct stat status{};
  if (::fstat(memory.fd(), &status) != 0) return bad(std::strerror(errno));
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t read = 0; read < text.size();) {
    const ssize_t count =
        ::pread(memory.fd(), text.data() + read, text.size() - read, static_cast<off_t>(read));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bad("they end too soon");
    read += static_cast<std::size_t>(count);
  }
  return parse_orders(text);
}

}  // namespace weir
