#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace retrieval {

/// The words of a text: runs of ASCII letters, digits and bytes from 0x80, letters in lower case.
std::vector<std::string> terms_of(std::string_view text);

/// How many times the words of `phrase` follow one another in `words`.
std::size_t occurrences(const std::vector<std::string>& words,
                        const std::vector<std::string>& phrase);

}  // namespace retrieval
