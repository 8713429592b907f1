#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace article {

/// Labels that "[label]: address" lines define, in lower case.
using LinkLabels = std::set<std::string, std::less<>>;

/// The plain text of a Markdown paragraph: emphasis, links, images, code spans, escapes, character
/// references and tags resolved to what a reader sees. Takes time in proportion to the text,
/// whatever it holds.
std::string markdown_inline(std::string_view text, const LinkLabels& labels);

}  // namespace article
