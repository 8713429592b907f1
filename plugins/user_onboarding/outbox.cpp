#include "outbox.hpp"

#include <fstream>
#include <system_error>

namespace user_onboarding {
namespace fs = std::filesystem;

std::string send(const fs::path& outbox, std::string_view name, const Mail& mail) {
  fs::create_directories(outbox);
  const fs::path place = outbox / (std::string(name) + ".eml");
  const fs::path draft = place.string() + ".draft";
  std::ofstream file(draft);
  file << "To: " << mail.to << "\nSubject: " << mail.subject << "\n\n" << mail.text << '\n';
  file.close();
  if (!file)
    throw fs::filesystem_error("cannot write", draft, std::make_error_code(std::errc::io_error));
  fs::rename(draft, place);
  return place.string();
}

}  // namespace user_onboarding
