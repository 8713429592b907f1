#include "cli/views/dag_drawing.hpp"

#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace weir::cli;

namespace {

using Edges = std::set<std::pair<std::string, std::string>>;

/// "a b:a c:a,b": nodes in order, each with what it waits for.
std::vector<DagNode> graph(const std::string& text) {
  std::vector<DagNode> nodes;
  std::map<std::string, std::size_t> at;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t colon = word.find(':');
    DagNode node{word.substr(0, colon), {}};
    std::istringstream parents(colon == std::string::npos ? "" : word.substr(colon + 1));
    for (std::string parent; std::getline(parents, parent, ',');)
      node.depends_on.push_back(at.at(parent));
    at[node.label] = nodes.size();
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::string drawn(const std::string& text, bool unicode = true) {
  std::string all;
  for (const std::string& line : draw(graph(text), unicode).lines) all += "\n" + line;
  return all;
}

/// Reads a drawing the way a person does: follow the line out of a label to the right; pass under
/// what has no corner or tee; where it joins a vertical line, everything that leaves that to the
/// right is reached.
class Eye {
 public:
  explicit Eye(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      std::vector<std::string> row;
      for (const char c : line)
        if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U)
          row.back() += c;
        else
          row.emplace_back(1, c);
      rows_.push_back(std::move(row));
    }
  }

  Edges edges() {
    for (std::size_t y = 0; y < rows_.size(); ++y)
      for (std::size_t x = 0; x < rows_[y].size(); ++x)
        if (const std::string label = label_at(x, y); !label.empty()) {
          from_ = label;
          follow(x + label.size() + 1, y);
          x += label.size();
        }
    return std::move(edges_);
  }

 private:
  enum Side { left = 1, right = 2, up = 4, down = 8 };

  std::string cell(std::size_t x, std::size_t y) const {
    return y < rows_.size() && x < rows_[y].size() ? rows_[y][x] : " ";
  }

  int sides(std::size_t x, std::size_t y) const {
    static const std::map<std::string, int> all = {{"─", left | right},
                                                   {"│", up | down},
                                                   {"┘", left | up},
                                                   {"└", right | up},
                                                   {"┴", left | right | up},
                                                   {"┐", left | down},
                                                   {"┌", right | down},
                                                   {"┬", left | right | down},
                                                   {"┤", left | up | down},
                                                   {"├", right | up | down},
                                                   {"┼", left | right | up | down}};
    const auto found = all.find(cell(x, y));
    return found == all.end() ? 0 : found->second;
  }

  std::string label_at(std::size_t x, std::size_t y) const {
    std::string label;
    while (cell(x, y).size() == 1 && cell(x, y) != " ") label += cell(x++, y);
    return label;
  }

  void follow(std::size_t x, std::size_t y) {
    for (;; ++x) {
      if (cell(x, y) == "▶") {
        edges_.emplace(from_, label_at(x + 2, y));
        return;
      }
      const int here = sides(x, y);
      if (here == 0) return;
      if (here == (left | right) || here == (up | down)) continue;
      leave(x, y);
      for (std::size_t above = y; (sides(x, above) & up) != 0;) leave(x, --above);
      for (std::size_t below = y; (sides(x, below) & down) != 0;) leave(x, ++below);
      return;
    }
  }

  void leave(std::size_t x, std::size_t y) {
    if ((sides(x, y) & right) != 0) follow(x + 1, y);
  }

  std::vector<std::vector<std::string>> rows_;
  std::string from_;
  Edges edges_;
};

Edges edges(const std::vector<DagNode>& nodes) {
  Edges all;
  for (const DagNode& node : nodes)
    for (const std::size_t parent : node.depends_on) all.emplace(nodes[parent].label, node.label);
  return all;
}

}  // namespace

TEST_SUITE_BEGIN("cli: drawn graphs");

TEST_CASE("a chain is one line") {
  CHECK(drawn("validate charge_payment:validate send_confirmation:charge_payment") ==
        "\nvalidate ──▶ charge_payment ──▶ send_confirmation");
  CHECK(drawn("only") == "\nonly");
}

TEST_CASE("branches share a bar where they part and where they meet") {
  CHECK(
      drawn("fetch convert:fetch summarize:convert keywords:convert publish:summarize,keywords") ==
      R"(
fetch ──▶ convert ─┬─▶ summarize ─┬─▶ publish
                   └─▶ keywords ──┘)");
  CHECK(drawn("a b c x:a,b,c y:a,b,c") == R"(
a ─┬─▶ x
b ─┼─▶ y
c ─┘)");
}

TEST_CASE("without Unicode the same graph is drawn in ASCII") {
  CHECK(drawn("fetch convert:fetch summarize:convert keywords:convert publish:summarize,keywords",
              false) == R"(
fetch --> convert -+-> summarize -+-> publish
                   +-> keywords --+)");
}

TEST_CASE("a dependency over several layers passes by what stands between") {
  CHECK(drawn("a b:a c:a d:b,c e:a,d") == R"(
a ─┬─────────────┬─▶ e
   ├─▶ b ─┬─▶ d ─┘
   └─▶ c ─┘)");
}

TEST_CASE("a step that feeds several sets has a line to each") {
  CHECK(drawn("a b t1:a t2:a,b t3:b") == R"(
a ───┬───▶ t1
b ─┐ └─┬─▶ t2
   ├───┘
   └─────▶ t3)");
}

TEST_CASE("steps that wait for nothing of each other stand below each other") {
  CHECK(drawn("a b c x:c y:b z:a") == R"(
a ──▶ z
b ──▶ y
c ──▶ x)");
}

TEST_CASE("whoever follows the lines of a drawing finds the graph it was drawn from") {
  for (unsigned seed = 1; seed <= 600; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::vector<DagNode> nodes;
    const std::size_t count = 1 + below(14);
    const std::size_t parents_max = 1 + below(4);
    for (std::size_t i = 0; i < count; ++i) {
      std::set<std::size_t> parents;
      for (std::size_t tries = i == 0 ? 0 : below(parents_max + 1); tries > 0; --tries)
        parents.insert(below(i));
      nodes.push_back({"n" + std::to_string(i), {parents.begin(), parents.end()}});
    }
    const DagDrawing drawing = draw(nodes, true);
    std::string shown;
    for (const std::string& line : drawing.lines) shown += line + "\n";
    CAPTURE(seed);
    CAPTURE(shown);
    REQUIRE(Eye(drawing.lines).edges() == edges(nodes));
    REQUIRE(draw(nodes, false).width == drawing.width);
  }
}

TEST_CASE("the largest flow there can be is drawn") {
  std::vector<DagNode> wide = {{"root", {}}};
  for (std::size_t i = 1; i < 1023; ++i) wide.push_back({"step", {0}});
  wide.push_back({"last", {}});
  for (std::size_t i = 1; i < 1023; ++i) wide.back().depends_on.push_back(i);
  CHECK(draw(wide, true).lines.size() == 1022);

  std::vector<DagNode> deep = {{"s", {}}};
  for (std::size_t i = 1; i < 1024; ++i) deep.push_back({"s", {i - 1}});
  CHECK(draw(deep, true).lines.size() == 1);
}
