/// Threads: every member may be called from any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/file_descriptor.hpp"

namespace weir {

class ChildReader;

/// Tells a child which of its calls are to stop. Nothing here waits for the child: what it has no room
/// for is sent by the reader, or with the next number.
class StopLine : public std::enable_shared_from_this<StopLine> {
 public:
  StopLine(FileDescriptor control, std::weak_ptr<ChildReader> reader)
      : control_(std::move(control)), reader_(std::move(reader)) {}

  void stop(std::uint64_t number);

  /// False while something is left.
  bool send_rest();

 private:
  bool send_locked();

  const FileDescriptor control_;
  const std::weak_ptr<ChildReader> reader_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::uint64_t> unsent_;
  std::size_t sent_bytes_ = 0;  // of the first of them
};

}  // namespace weir
