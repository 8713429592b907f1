#pragma once
#include <string>
#include <vector>

namespace article {

/// A piece of an article in plain text. Only code contains line feeds.
struct Block {
  std::string kind;  ///< "heading", "paragraph", "item" or "code"
  std::string text;
  friend bool operator==(const Block&, const Block&) = default;
};

/// The content of an article, independent of the format it was written in.
struct Document {
  std::string title;  ///< empty when the text names none
  std::vector<Block> blocks;
  friend bool operator==(const Document&, const Document&) = default;
};

}  // namespace article
