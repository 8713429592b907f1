#include "cli/terminal/effects.hpp"

#include <fmt/format.h>

namespace weir::cli {

void Effects::add(const Result<Effect>& effect) {
  if (!effect)
    code_ = console_.fail(effect.error());
  else if (json_)
    done_.push_back(effect->json);
  else
    console_.print(effect->line);
}

ExitCode Effects::end() {
  if (json_) console_.print(fmt::format("{}\n", Json::array(done_).text()));
  return code_;
}

}  // namespace weir::cli
