#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <weir/sdk/text_sink.hpp>

namespace weir::sdk {

struct ShapeMember;

/// The JSON that a C++ type is written as and read from, known at compile time. The schema is
/// written from it, and a step's result is compared with what its dependents take by it. (Shapes
/// are distinguished by name, not by address: with -fsanitize=undefined g++ does not accept a
/// comparison of such addresses as a constant.)
struct Shape {
  enum class Kind {
    any,
    null,
    boolean,
    integer,
    number,
    string,
    optional,
    list,
    tuple,
    dictionary,
    object
  };
  static constexpr std::size_t any_size = static_cast<std::size_t>(-1);

  Kind kind = Kind::any;
  const Shape* element = nullptr;          ///< of an optional, list or dictionary
  std::size_t size = any_size;             ///< of a list: any_size, or the only one allowed
  std::span<const ShapeMember> members{};  ///< of an object; of a tuple, nameless
  std::string_view type{};                 ///< of an object: the name of its C++ type
};

struct ShapeMember {
  std::string_view name;
  const Shape* shape;
};

/// The position of the member of that name; members.size() when there is none.
constexpr std::size_t position(std::span<const ShapeMember> members, std::string_view name) {
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].name == name) return i;
  return members.size();
}

/// The objects around the present one, by which a type that contains itself is noticed.
struct Enclosing {
  const Enclosing* around = nullptr;
  std::string_view type{};
  std::string_view other{};  ///< its counterpart, when two types are compared

  constexpr bool holds(std::string_view a, std::string_view b = {}) const {
    return (type == a && other == b) || (around != nullptr && around->holds(a, b));
  }
};

constexpr bool fits(const Shape& given, const Shape& taken, const Enclosing& around = {});

constexpr bool object_fits(const Shape& given, const Shape& taken, const Enclosing& around) {
  if (around.holds(given.type, taken.type)) return true;  // being compared by a caller
  const Enclosing here{&around, given.type, taken.type};
  return std::ranges::all_of(taken.members, [&](const ShapeMember& wanted) {
    const std::size_t found = position(given.members, wanted.name);
    return found < given.members.size() ? fits(*given.members[found].shape, *wanted.shape, here)
                                        : wanted.shape->kind == Shape::Kind::optional;
  });
}

/// Whether what is written as `given` can be read as `taken`. What depends on the value (the range
/// of an integer, the length of a vector, the keys of a dictionary) is checked when the flow runs.
constexpr bool fits(const Shape& given, const Shape& taken, const Enclosing& around) {
  using enum Shape::Kind;
  const auto all_fit = [&](std::span<const ShapeMember> from, const Shape& to) {
    return std::ranges::all_of(from,
                               [&](const ShapeMember& m) { return fits(*m.shape, to, around); });
  };
  const auto fits_all = [&](const Shape& from, std::span<const ShapeMember> to) {
    return std::ranges::all_of(to,
                               [&](const ShapeMember& m) { return fits(from, *m.shape, around); });
  };
  const auto same_length = [](std::size_t a, std::size_t b) {
    return a == Shape::any_size || b == Shape::any_size || a == b;
  };
  if (given.kind == any || taken.kind == any) return true;
  if (taken.kind == optional)
    return given.kind == null ||
           fits(given.kind == optional ? *given.element : given, *taken.element, around);
  switch (given.kind) {
    case integer:
      return taken.kind == integer || taken.kind == number;
    case list:
      if (taken.kind == tuple)
        return same_length(given.size, taken.members.size()) &&
               fits_all(*given.element, taken.members);
      return taken.kind == list && same_length(given.size, taken.size) &&
             fits(*given.element, *taken.element, around);
    case tuple:
      if (taken.kind == list)
        return same_length(given.members.size(), taken.size) &&
               all_fit(given.members, *taken.element);
      return taken.kind == tuple &&
             std::ranges::equal(given.members, taken.members, [&](auto& from, auto& to) {
               return fits(*from.shape, *to.shape, around);
             });
    case dictionary:
      if (taken.kind == object) return fits_all(*given.element, taken.members);
      return taken.kind == dictionary && fits(*given.element, *taken.element, around);
    case object:
      if (taken.kind == dictionary) return all_fit(given.members, *taken.element);
      return taken.kind == object && object_fits(given, taken, around);
    default:
      return given.kind == taken.kind;
  }
}

constexpr void write_schema(TextSink& out, const Shape& shape, const Enclosing& around = {});

constexpr void write_object_schema(TextSink& out, const Shape& shape, const Enclosing& around) {
  if (around.holds(shape.type)) return out.raw("{}");
  const Enclosing here{&around, shape.type};
  out.raw(R"({"type":"object","properties":{)");
  for (std::size_t i = 0; i < shape.members.size(); ++i) {
    if (i != 0) out.raw(",");
    out.quoted(shape.members[i].name);
    out.raw(":");
    write_schema(out, *shape.members[i].shape, here);
  }
  out.raw("}");
  bool any_required = false;
  for (const ShapeMember& member : shape.members) {
    if (member.shape->kind == Shape::Kind::optional) continue;
    out.raw(any_required ? "," : R"(,"required":[)");
    out.quoted(member.name);
    any_required = true;
  }
  out.raw(any_required ? "]}" : "}");
}

/// `shape` as a JSON Schema; a type inside itself is written as {} (anything).
constexpr void write_schema(TextSink& out, const Shape& shape, const Enclosing& around) {
  using enum Shape::Kind;
  const auto around_element = [&](std::string_view before, std::string_view after) {
    out.raw(before);
    write_schema(out, *shape.element, around);
    out.raw(after);
  };
  const auto length = [&](std::size_t size) {
    out.raw(R"(,"minItems":)");
    out.number(static_cast<std::int64_t>(size));
    out.raw(R"(,"maxItems":)");
    out.number(static_cast<std::int64_t>(size));
  };
  switch (shape.kind) {
    case any:
      return out.raw("{}");
    case null:
      return out.raw(R"({"type":"null"})");
    case boolean:
      return out.raw(R"({"type":"boolean"})");
    case integer:
      return out.raw(R"({"type":"integer"})");
    case number:
      return out.raw(R"({"type":"number"})");
    case string:
      return out.raw(R"({"type":"string"})");
    case optional:
      return around_element(R"({"anyOf":[)", R"(,{"type":"null"}]})");
    case dictionary:
      return around_element(R"({"type":"object","additionalProperties":)", "}");
    case list:
      around_element(R"({"type":"array","items":)", "");
      if (shape.size != Shape::any_size) length(shape.size);
      return out.raw("}");
    case tuple:
      out.raw(R"({"type":"array","items":[)");
      for (std::size_t i = 0; i < shape.members.size(); ++i) {
        if (i != 0) out.raw(",");
        write_schema(out, *shape.members[i].shape, around);
      }
      out.raw("]");
      length(shape.members.size());
      return out.raw("}");
    case object:
      return write_object_schema(out, shape, around);
  }
}

}  // namespace weir::sdk
