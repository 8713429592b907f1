#pragma once
#include <string>
#include <string_view>

namespace text_report {

/// A file's name as JSON can hold it: bytes that are no UTF-8 are written as "\xFF". A name that is
/// UTF-8 stays as it is.
std::string shown_name(std::string_view name);

}  // namespace text_report
