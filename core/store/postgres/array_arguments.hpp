#pragma once
#include <concepts>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "store/postgres/binary_array.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/member_path.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {

/// "$12"
constexpr Text placeholder(int number) {
  const Text before = number < 10 ? Text("$") : placeholder(number / 10);
  const char digit = static_cast<char>('0' + number % 10);
  return before + std::string_view(&digit, 1);
}

/// An argument of a database function that is an array with one element for each item.
template <class... Path>
struct ArrayArgument {
  std::string_view name;
  std::string_view type;  ///< of the elements
  ElementType element_type;
  MemberPath<Path...> element;
  bool sparse = false;
};

template <class... Path>
constexpr ArrayArgument<Path...> array_argument(std::string_view name, std::string_view type,
                                                Path... element) {
  return {name, type, element_type(type), {{element...}}};
}

/// The same argument, for a function that only unnests it beside the others: it is sent as an empty
/// array where it would have nothing but NULLs.
template <class... Path>
constexpr ArrayArgument<Path...> sparse(ArrayArgument<Path...> argument) {
  argument.sparse = true;
  return argument;
}

/// The arguments by which a database function takes a list of items, an array for each of their
/// columns: the one place for their names, types and values. An empty text becomes NULL.
template <class Item, class... Argument>
class ArrayArguments {
 public:
  constexpr explicit ArrayArguments(Argument... arguments) : arguments_(arguments...) {}

  /// ", name => $4::bigint[], …", numbered from `number` on, which is advanced.
  constexpr Text list(int& number) const {
    Text list;
    const auto append = [&](const auto& each) {
      list += ", ";
      list += each.name;
      list += Text(" => ") + placeholder(number++) + "::";
      list += each.type;
      list += "[]";
    };
    std::apply([&](const auto&... each) { (append(each), ...); }, arguments_);
    return list;
  }

  /// Appends the arrays of `items`, in the order of list().
  void append(BinaryParams& params, const std::vector<Item>& items) const {
    const auto append_array = [&](const auto& each) {
      BinaryArray array(each.element_type);
      for (const Item& item : items) add(array, each.element.of(item));
      if (each.sparse && array.is_null()) array = BinaryArray(each.element_type);
      params.push_back(std::move(array).bytes());
    };
    std::apply([&](const auto&... each) { (append_array(each), ...); }, arguments_);
  }

 private:
  static void add(BinaryArray& array, const auto& element) {
    if constexpr (std::same_as<std::decay_t<decltype(element)>, std::string>)
      element.empty() ? array.add_null() : array.add_text(element);
    else
      array.add(element);
  }

  std::tuple<Argument...> arguments_;
};

template <class Item, class... Argument>
constexpr ArrayArguments<Item, Argument...> array_arguments_of(Argument... arguments) {
  return ArrayArguments<Item, Argument...>(arguments...);
}

}  // namespace weir::postgres
