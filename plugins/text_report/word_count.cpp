#include "word_count.hpp"

namespace text_report {
namespace {

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_visible(char c) noexcept { return c > ' ' && c < 0x7F; }

}  // namespace

void WordCount::add(std::string_view piece) noexcept {
  bytes_ += piece.size();
  for (const char c : piece) {
    lines_ += c == '\n';
    if (is_visible(c)) {
      words_ += !in_word_;
      in_word_ = true;
    } else if (is_space(c)) {
      in_word_ = false;
    }
  }
}

}  // namespace text_report
