#pragma once
#include <optional>
#include <string>

namespace weir::cli {

struct FlowsList {
  bool json = false;
};

struct FlowsShow {
  std::string name;
  bool json = false;
  bool dot = false;
};

struct FlowsVersions {
  std::string slug;
  bool json = false;
};

struct FlowsAdopt {
  std::string slug;
  std::optional<int> from;
  std::optional<int> to;
  bool json = false;
};

struct FlowsPause {
  std::string slug;
};

struct FlowsResume {
  std::string slug;
};

}  // namespace weir::cli
