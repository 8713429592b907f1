#include "cli/terminal/progress.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/display_width.hpp"
#include "cli/views/run_view.hpp"

namespace weir::cli {
namespace {

// A block higher than the terminal could not be redrawn, so only the most relevant steps are shown.
constexpr std::size_t steps_shown_max = 16;

std::size_t slug_width(const RunReport& report) {
  std::size_t width = 0;
  for (const StepReport& step : report.steps) width = std::max(width, display_width(step.slug));
  return width;
}

int urgency(const StepReport& step) {
  return step.status == "failed"    ? 0
         : step.status == "running" ? 1
         : step.status == "ready"   ? 2
                                    : 3;
}

}  // namespace

std::string Progress::block(const RunReport& report) const {
  const RunSummary& run = report.summary;
  std::string text =
      fmt::format("{}  {}\n", run.flow, painted(terminal_, tone(run.status), run.status));
  std::vector<const StepReport*> steps;
  for (const StepReport& step : report.steps) steps.push_back(&step);
  if (steps.size() > steps_shown_max) {
    std::ranges::sort(steps, {},
                      [](const StepReport* step) { return std::pair(urgency(*step), step); });
    steps.resize(steps_shown_max);
  }
  for (const StepReport* step : steps)
    text += step_text(*step, slug_width(report), terminal_) + '\n';
  if (const std::size_t more = report.steps.size() - steps.size(); more > 0)
    text += fmt::format("  and {} more steps\n", more);
  if (!remark_.empty()) text += clipped(terminal_, remark_, terminal_.columns) + '\n';
  return text;
}

std::string Progress::changes(const RunReport& report) {
  std::string text;
  if (remark_ != printed_remark_) {
    if (!remark_.empty()) text += remark_ + '\n';
    printed_remark_ = remark_;
  }
  for (const StepReport& step : report.steps) {
    std::string& last = last_[step.slug];
    const bool initial = last.empty() && (step.status == "waiting" || step.status == "ready");
    if (!initial && last != step.status)
      text += step_text(step, slug_width(report), terminal_) + '\n';
    last = step.status;
  }
  return text;
}

std::string Progress::update(const RunReport& report) {
  if (!terminal_.live) return changes(report);
  std::string next = block(report);
  if (next == shown_) return {};
  std::string text = clear() + next;
  lines_ = static_cast<std::size_t>(std::ranges::count(next, '\n'));
  shown_ = std::move(next);
  return text;
}

std::string Progress::clear() {
  if (lines_ == 0) return {};
  shown_.clear();
  return fmt::format("\x1b[{}A\x1b[J", std::exchange(lines_, 0));
}

}  // namespace weir::cli
