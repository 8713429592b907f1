#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace weir::testing {

/// What the database has that a call may name; a worker's values are its own.
struct SqlPools {
  std::vector<std::string> flows;        ///< slugs
  std::vector<std::string> slugs;        ///< that versions may be registered for
  std::vector<std::string> definitions;  ///< of versions
  std::vector<std::string> run_uuids;
  std::vector<std::string> versions;                       ///< their numbers in the database
  std::map<std::string, std::vector<std::string>> runs;    ///< by the worker that holds them
  std::map<std::string, std::vector<std::string>> shares;  ///< the same
  std::vector<std::string> dead_workers;                   ///< that ended or whose lease lapsed
  std::map<std::string, std::int64_t> sequences;  ///< of workers that live: their last exchange
};

/// A parameter of a function.
struct SqlParameter {
  std::string name;
  std::string type;  ///< as PostgreSQL formats it: "timestamp with time zone[]"
  bool optional = false;
};

/// Draws arguments for calls of SQL functions: plausible ones by the parameter's name, wild ones by
/// its type. [one thread]
class SqlValues {
 public:
  explicit SqlValues(std::uint64_t seed) : random_(seed) {}

  SqlPools pools;

  /// Before each call: how wild it will be, and how long the arrays that belong together are.
  void begin_call(std::string_view function);

  /// The text of an argument; nullopt is null. Call it for the parameters in order.
  std::optional<std::string> argument(const SqlParameter& parameter);

  /// The worker that the call names, if it is one that lives.
  const std::string& worker() const noexcept { return worker_; }

  bool one_in(std::uint64_t count) { return random_() % count == 0; }
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  template <class T>
  const T& any_of(const std::vector<T>& values) {
    return values[below(values.size())];
  }

 private:
  std::string plausible(const std::string& name, const std::string& type);
  std::optional<std::string> plausible_scalar(const std::string& name, const std::string& type);
  std::string plausible_text(const std::string& name);
  std::string plausible_json(const std::string& name);
  std::string plausible_number(const std::string& name);
  std::optional<std::string> wild(const std::string& type);
  std::string wild_array(const std::string& element);
  std::string wild_scalar(const std::string& type);
  std::string pooled(const std::vector<std::string>& values, std::string_view otherwise);
  std::string held(const std::map<std::string, std::vector<std::string>>& by_worker);
  std::string uuid();

  std::mt19937_64 random_;
  std::string function_;
  std::string worker_;
  std::uint64_t wildness_ = 0;             // per mille of the arguments
  std::map<char, std::uint64_t> lengths_;  // of arrays, by the first letter of their names
};

/// The literal of an array; nullopt is null.
std::string sql_array(const std::vector<std::optional<std::string>>& elements);

}  // namespace weir::testing
