#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "config/reader.hpp"

// How keys of common types are read.

namespace weir {

/// How a number is written in YAML.
struct Notation {
  std::string_view form;  ///< what a fault says was expected
  std::optional<std::int64_t> (*parse)(std::string_view);
  std::string (*write)(std::int64_t);
};

extern const Notation whole_notation;
extern const Notation duration_notation;  ///< milliseconds
extern const Notation size_notation;      ///< bytes

/// A number within its limits; nullopt, with a fault, when it is none.
std::optional<std::int64_t> read_number(Reader& reader, std::string_view key,
                                        const YAML::Node& value, const Notation& notation,
                                        std::int64_t min, std::int64_t max);

/// Reads one of a few words, which are in the order of the enum.
template <class Enum, std::size_t n>
void read_word(Reader& reader, std::string_view key, const YAML::Node& value,
               const std::array<std::string_view, n>& words, Enum& into) {
  const std::string expected = fmt::format("one of {}", fmt::join(words, ", "));
  const std::string* const text = reader.scalar(key, value, expected);
  if (text == nullptr) return;
  const auto at = std::ranges::find(words, *text);
  if (at != words.end()) {
    into = static_cast<Enum>(at - words.begin());
    return;
  }
  const std::vector<std::string> candidates(words.begin(), words.end());
  const std::string guess = did_you_mean(*text, candidates);
  reader.fault(reader.span(value), "bad_value",
               fmt::format("{}: expected {}, got {}{}{}", key, expected, in_quotes(*text),
                           guess.empty() ? "" : "; ", guess));
}

/// Calls `element` with each text of a list and its node.
template <class T>
void read_list(Reader& reader, std::string_view key, const YAML::Node& value,
               std::string_view expected, T&& element) {
  if (!value.IsSequence()) return reader.refuse("bad_type", key, value, expected);
  for (const YAML::Node& each : value)
    if (const std::string* const text = reader.scalar(key, each, expected)) element(*text, each);
}

template <class T>
Key<T> count_key(std::string name, std::size_t T::* member, std::int64_t min, std::int64_t max) {
  return {std::move(name),
          [=](Reader& reader, std::string_view key, const YAML::Node& value, T& into) {
            if (const auto read = read_number(reader, key, value, whole_notation, min, max))
              into.*member = static_cast<std::size_t>(*read);
          }};
}

template <class T>
Key<T> duration_key(std::string name, std::chrono::milliseconds T::* member,
                    std::chrono::milliseconds min, std::chrono::milliseconds max) {
  return {std::move(name),
          [=](Reader& reader, std::string_view key, const YAML::Node& value, T& into) {
            if (const auto read =
                    read_number(reader, key, value, duration_notation, min.count(), max.count()))
              into.*member = std::chrono::milliseconds(*read);
          }};
}

template <class T, class Enum, std::size_t n>
Key<T> word_key(std::string name, Enum T::* member, const std::array<std::string_view, n>& words) {
  return {std::move(name), [=](Reader& reader, std::string_view key, const YAML::Node& value,
                               T& into) { read_word(reader, key, value, words, into.*member); }};
}

}  // namespace weir
