#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace article {

/// Labels that "[label]: address" lines define, in lower case.
using LinkLabels = std::set<std::string, std::less<>>;

/// The plain text of a Markdown paragraph: emphasis, links, images, code spans, escapes, character
/// references and tags resolved to what a reader sees. The time is proportional to the length of
/// the text, whatever it contains.
std::string markdown_inline(std::string_view text, const LinkLabels& labels);

}  // namespace article
