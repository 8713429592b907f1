#pragma once
#include <cstddef>
#include <map>
#include <string>

#include "cli/terminal/terminal.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// Shows how a run goes on, from look to look: on a terminal a block that is drawn over, else one
/// line for every step whose status changed. Gives what to write; writes nothing itself.
class Progress {
 public:
  explicit Progress(const Terminal& terminal) : terminal_(terminal) {}

  /// What a new look adds; empty when nothing changed.
  std::string update(const RunReport& report);

  /// Something the person must know while waiting, below the block; "" takes it away.
  void remark(std::string text) { remark_ = std::move(text); }

  /// Takes the block away, so that what comes next stands in its place. Empty in a pipe.
  std::string clear();

 private:
  std::string block(const RunReport& report) const;
  std::string changes(const RunReport& report);

  Terminal terminal_;
  std::string remark_;
  std::string said_remark_;
  std::string shown_;                        // the block that stands on the terminal
  std::size_t lines_ = 0;                    // its height
  std::map<std::string, std::string> last_;  // status by step
};

}  // namespace weir::cli
