#include "cli/answers.hpp"

#include <fmt/format.h>

namespace weir::cli {

void Answers::add(const Result<Answer>& answer) {
  if (!answer)
    code_ = console_.fail(answer.error());
  else if (json_)
    done_.push_back(answer->json);
  else
    console_.print(answer->line);
}

ExitCode Answers::end() {
  if (json_) console_.print(fmt::format("{}\n", Json::array(done_).text()));
  return code_;
}

}  // namespace weir::cli
