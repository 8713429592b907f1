#include "bench/plots/bar_chart.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>

#include "bench/plots/measured.hpp"

namespace weir::bench {
namespace {

// In pixels: labels end at label_end, bars begin behind them, figures follow the bars.
constexpr int width = 720, margin = 16, label_end = 250, bar_begin = 258, bar_length_max = 370;
constexpr int title_height = 44, group_height = 30, bar_height = 20, caption_height = 28;

std::string_view color_of(BarChart::Tone tone) {
  using Tone = BarChart::Tone;
  switch (tone) {
    case Tone::ours:
      return "#1f6feb";
    case Tone::ours_faint:
      return "#8fb8f5";
    case Tone::other:
      return "#6e7781";
    case Tone::other_faint:
      return "#b9bfc6";
  }
  return "#000000";
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else
      result += c;
  }
  return result;
}

std::string text_at(int x, int y, std::string_view attributes, std::string_view text) {
  return fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", x, y, attributes, escaped(text));
}

std::string drawn(const BarChart::Bar& bar, double longest, int y) {
  const double part = longest > 0 ? std::max(bar.value, 0.0) / longest : 0;
  const double length = std::max(1.0, part * bar_length_max);
  const int baseline = y + bar_height - 6;
  const std::string rectangle =
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>\n",
                  bar_begin, y + 2, length, bar_height - 4, color_of(bar.tone));
  return text_at(label_end, baseline, " text-anchor=\"end\"", bar.label) + rectangle +
         text_at(bar_begin + static_cast<int>(length) + 6, baseline, "", number_text(bar.value));
}

}  // namespace

std::string BarChart::svg() const {
  std::string body = text_at(margin, 28, " font-size=\"16\" font-weight=\"bold\"", title);
  int y = title_height;
  for (const Group& group : groups) {
    body += text_at(margin, y + group_height - 10, " font-weight=\"bold\"", group.title);
    y += group_height;
    double longest = 0;
    for (const Bar& bar : group.bars) longest = std::max(longest, bar.value);
    for (const Bar& bar : group.bars) {
      body += drawn(bar, longest, y);
      y += bar_height;
    }
  }
  if (!caption.empty()) {
    y += caption_height;
    body += text_at(margin, y - 8, " font-size=\"11\" fill=\"#57606a\"", caption);
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
             "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\" "
             "fill=\"#1f2328\">\n"
             "<rect width=\"{0}\" height=\"{1}\" rx=\"8\" fill=\"#ffffff\"/>\n",
             width, y + margin) +
         body + "</svg>\n";
}

}  // namespace weir::bench
