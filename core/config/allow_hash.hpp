#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/source_text.hpp"

namespace weir {

/// The outcome of allow_hash().
struct AllowedHash {
  std::string text;        ///< the whole text, with the hash in plugins.sha256_allow
  bool was_there = false;  ///< the hash was listed already: the text is unchanged
  bool first = false;      ///< until now every plugin was allowed
};

/// Adds `sha256` (64 hex digits) to plugins.sha256_allow and leaves every other byte as it is,
/// comments and layout included. A new line of a block list gets `comment` at its end. Errors:
/// invalid_input: the first fault of a text that is not a configuration; kind "cannot_edit" when
/// the list has a form that only a person can change, with a hint at what to write.
Result<AllowedHash> allow_hash(const SourceText& source, std::string_view sha256,
                               std::string_view comment);

}  // namespace weir
