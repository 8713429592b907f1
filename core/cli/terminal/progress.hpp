#pragma once
#include <cstddef>
#include <map>
#include <string>

#include "cli/terminal/terminal.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// Formats the progress of a run from one report to the next: on a terminal a block that is
/// redrawn, else one line for every step whose status changed. Returns text; writes nothing itself.
class Progress {
 public:
  explicit Progress(const Terminal& terminal) : terminal_(terminal) {}

  /// The text to write after a new report; empty when nothing changed.
  std::string update(const RunReport& report);

  /// Sets a remark for the person who waits, shown below the block; "" removes it.
  void remark(std::string text) { remark_ = std::move(text); }

  /// The text that erases the block, so that the next output replaces it. Empty in a pipe.
  std::string clear();

 private:
  std::string block(const RunReport& report) const;
  std::string changes(const RunReport& report);

  Terminal terminal_;
  std::string remark_;
  std::string printed_remark_;
  std::string shown_;                        // the block that is on the terminal
  std::size_t lines_ = 0;                    // its height
  std::map<std::string, std::string> last_;  // status by step
};

}  // namespace weir::cli
