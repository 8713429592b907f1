#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <weir/sdk/text_sink.hpp>

namespace weir::sdk {

struct ShapeMember;

/// What JSON a C++ type is written as and read from, known at compile time. The schema is written
/// from it, and by it a step's result is compared with what its dependents take.
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
};

struct ShapeMember {
  std::string_view name;
  const Shape* shape;
};

constexpr const ShapeMember* find(std::span<const ShapeMember> members, std::string_view name) {
  for (const ShapeMember& member : members)
    if (member.name == name) return &member;
  return nullptr;
}

/// The shapes around the one at hand: how a type that contains itself is noticed.
struct Enclosing {
  const Enclosing* around;
  const Shape* shape;
  const Shape* other;  ///< its counterpart, where two are compared

  constexpr bool holds(const Shape* a, const Shape* b = nullptr) const {
    for (const Enclosing* e = this; e != nullptr; e = e->around)
      if (e->shape == a && e->other == b) return true;
    return false;
  }
};

constexpr bool fits(const Shape& given, const Shape& taken, const Enclosing* around = nullptr);

constexpr bool object_fits(const Shape& given, const Shape& taken, const Enclosing* around) {
  return std::ranges::all_of(taken.members, [&](const ShapeMember& wanted) {
    const ShapeMember* found = find(given.members, wanted.name);
    return found != nullptr ? fits(*found->shape, *wanted.shape, around)
                            : wanted.shape->kind == Shape::Kind::optional;
  });
}

/// Whether what is written as `given` can be read as `taken`. What only the value can tell (the
/// range of an integer, the length of a list, the keys of a dictionary) is left to the run.
constexpr bool fits(const Shape& given, const Shape& taken, const Enclosing* around) {
  using enum Shape::Kind;
  const Enclosing here{around, &given, &taken};
  if (around != nullptr && around->holds(&given, &taken)) return true;  // being compared further up
  const auto all_fit = [&](std::span<const ShapeMember> from, const Shape& to) {
    return std::ranges::all_of(from,
                               [&](const ShapeMember& m) { return fits(*m.shape, to, &here); });
  };
  const auto fits_all = [&](const Shape& from, std::span<const ShapeMember> to) {
    return std::ranges::all_of(to,
                               [&](const ShapeMember& m) { return fits(from, *m.shape, &here); });
  };
  if (given.kind == any || taken.kind == any) return true;
  if (taken.kind == optional)
    return given.kind == null ||
           fits(given.kind == optional ? *given.element : given, *taken.element, &here);
  const auto same_length = [](std::size_t a, std::size_t b) {
    return a == Shape::any_size || b == Shape::any_size || a == b;
  };
  switch (given.kind) {
    case integer:
      return taken.kind == integer || taken.kind == number;
    case list:
      if (taken.kind == tuple)
        return same_length(given.size, taken.members.size()) &&
               fits_all(*given.element, taken.members);
      return taken.kind == list && same_length(given.size, taken.size) &&
             fits(*given.element, *taken.element, &here);
    case tuple:
      if (taken.kind == list)
        return same_length(given.members.size(), taken.size) &&
               all_fit(given.members, *taken.element);
      return taken.kind == tuple &&
             std::ranges::equal(given.members, taken.members, [&](auto& from, auto& to) {
               return fits(*from.shape, *to.shape, &here);
             });
    case dictionary:
      if (taken.kind == object) return fits_all(*given.element, taken.members);
      return taken.kind == dictionary && fits(*given.element, *taken.element, &here);
    case object:
      if (taken.kind == dictionary) return all_fit(given.members, *taken.element);
      return taken.kind == object && object_fits(given, taken, &here);
    default:
      return given.kind == taken.kind;
  }
}

/// `shape` as a JSON Schema; a type within itself is written as {} (anything).
constexpr void write_schema(TextSink& out, const Shape& shape, const Enclosing* around = nullptr) {
  using enum Shape::Kind;
  const Enclosing here{around, &shape, nullptr};
  if (around != nullptr && around->holds(&shape)) return out.raw("{}");
  const auto bounds = [&](std::size_t size) {
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
      out.raw(R"({"anyOf":[)");
      write_schema(out, *shape.element, &here);
      return out.raw(R"(,{"type":"null"}]})");
    case list:
      out.raw(R"({"type":"array","items":)");
      write_schema(out, *shape.element, &here);
      if (shape.size != Shape::any_size) bounds(shape.size);
      return out.raw("}");
    case dictionary:
      out.raw(R"({"type":"object","additionalProperties":)");
      write_schema(out, *shape.element, &here);
      return out.raw("}");
    case tuple:
      out.raw(R"({"type":"array","items":[)");
      for (const ShapeMember& member : shape.members) {
        if (&member != shape.members.data()) out.raw(",");
        write_schema(out, *member.shape, &here);
      }
      out.raw("]");
      bounds(shape.members.size());
      return out.raw("}");
    case object:
      break;
  }
  out.raw(R"({"type":"object","properties":{)");
  bool any_required = false;
  for (const ShapeMember& member : shape.members) {
    if (&member != shape.members.data()) out.raw(",");
    out.quoted(member.name);
    out.raw(":");
    write_schema(out, *member.shape, &here);
  }
  out.raw("}");
  for (const ShapeMember& member : shape.members) {
    if (member.shape->kind == optional) continue;
    out.raw(any_required ? "," : R"(,"required":[)");
    out.quoted(member.name);
    any_required = true;
  }
  out.raw(any_required ? "]}" : "}");
}

}  // namespace weir::sdk
