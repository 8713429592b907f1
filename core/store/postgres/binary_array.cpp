#include "store/postgres/binary_array.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.hpp"

namespace weir::postgres {
namespace {

constexpr std::size_t header_bytes = 5 * sizeof(std::int32_t);
constexpr Time timestamptz_epoch = std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);

// In network byte order.
template <std::integral Number>
void put(char* into, Number number) {
  if constexpr (std::endian::native == std::endian::little) number = std::byteswap(number);
  std::memcpy(into, &number, sizeof number);
}

template <std::integral Number>
void append(std::string& bytes, Number number) {
  bytes.resize(bytes.size() + sizeof number);
  put(bytes.data() + bytes.size() - sizeof number, number);
}

}  // namespace

BinaryArray::BinaryArray(ElementType type) : type_(type), bytes_(header_bytes, '\0') {}

std::string& BinaryArray::begin(std::size_t bytes) {
  WEIR_ASSERT(bytes <= std::numeric_limits<std::int32_t>::max());
  ++count_;
  append(bytes_, static_cast<std::int32_t>(bytes));
  return bytes_;
}

// One that does not fit is sent whole: the database says that its length is wrong.
void BinaryArray::add_number(std::int64_t number) {
  if (type_ == ElementType::smallint && std::in_range<std::int16_t>(number))
    append(begin(sizeof(std::int16_t)), static_cast<std::int16_t>(number));
  else if (type_ == ElementType::integer && std::in_range<std::int32_t>(number))
    append(begin(sizeof(std::int32_t)), static_cast<std::int32_t>(number));
  else
    append(begin(sizeof number), number);
}

void BinaryArray::add(Time time) {
  append(begin(sizeof(std::int64_t)),
         std::chrono::duration_cast<std::chrono::microseconds>(time - timestamptz_epoch).count());
}

void BinaryArray::add_text(std::string_view text) { begin(text.size()) += text; }

void BinaryArray::add_null() {
  ++count_;
  ++nulls_;
  append(bytes_, std::int32_t{-1});
}

std::string BinaryArray::bytes() && {
  const auto put_word = [&](std::size_t place, std::uint32_t word) {
    put(bytes_.data() + place * sizeof word, word);
  };
  put_word(0, count_ == 0 ? 0 : 1);  // dimensions
  put_word(1, nulls_ == 0 ? 0 : 1);
  put_word(2, std::to_underlying(type_));
  if (count_ == 0) {
    bytes_.resize(3 * sizeof(std::int32_t));
  } else {
    put_word(3, count_);
    put_word(4, 1);  // the number of the first element
  }
  return std::move(bytes_);
}

}  // namespace weir::postgres
