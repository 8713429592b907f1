#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/source_text.hpp"

namespace weir {

/// What became of a configuration's text.
struct AllowedHash {
  std::string text;        ///< whole, with the hash in plugins.sha256_allow
  bool was_there = false;  ///< the text is as it was
  bool first = false;      ///< until now every plugin was allowed
};

/// Adds `sha256` (64 hex digits) to plugins.sha256_allow and leaves every other byte as it is,
/// comments and layout included. A new line of a block list gets `comment` behind it. Errors:
/// invalid_input: a text that is no configuration, with its first fault; kind "cannot_edit" where
/// the list stands in a form that only a person can change, hinting at what to write.
Result<AllowedHash> allow_hash(const SourceText& source, std::string_view sha256,
                               std::string_view comment);

}  // namespace weir
