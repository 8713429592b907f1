#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace user_onboarding {

struct Mail {
  std::string to, subject, text;
};

/// Puts a mail into the folder under `name`, whole or not at all; a mail under the same name
/// replaces the one before. Returns its path. Throws std::filesystem::filesystem_error.
std::string send(const std::filesystem::path& outbox, std::string_view name, const Mail& mail);

}  // namespace user_onboarding
