#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "document.hpp"

namespace article {

/// What a page shows.
struct PageContent {
  const Document& document;
  const std::vector<std::string>& summary;
  const std::vector<std::string>& keywords;
  std::string_view source_name;
};

/// One HTML5 page that needs nothing else: valid, every text in it escaped.
std::string page(const PageContent& content);

/// The file a source's page is kept in: "weirs.html" and "weirs.md.html", so that two sources of
/// one folder don't share one.
std::string page_name(std::string_view source_name);

}  // namespace article
