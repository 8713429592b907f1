#pragma once
#include <optional>
#include <string>
#include <vector>

#include "figures.hpp"

namespace weir::bench {

/// One line of the result.
struct Row {
  enum class Of { value, ratio };        ///< what a goal is about
  enum class Shown { always, in_json };  ///< the table has no room for each of many cells

  struct Goal {
    Of of;
    double bound;
    bool at_least = false;  ///< else at most
  };

  std::string section;
  std::string name;
  std::string unit;
  std::optional<double> value = {};    ///< ours; nullopt: not measured
  std::string partner = {};            ///< what it is measured against; "" for nothing
  std::optional<double> against = {};  ///< the partner's figure
  std::optional<Goal> goal = {};
  Shown shown = Shown::always;

  std::optional<double> ratio() const;  ///< value / against
  std::optional<bool> met() const;      ///< nullopt: no goal, or not measured
};

/// Everything there is to say of the registries, from what was measured.
std::vector<Row> rows(const Figures& figures);

}  // namespace weir::bench
