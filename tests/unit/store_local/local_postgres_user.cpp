// local_postgres_user FOLDER [USER]: joins the private PostgreSQL of FOLDER, as USER if one is
// named, and prints its URL; or prints "kind: message" and exits with 1. Leaves when its input
// ends.
#include <cstdio>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "store/local/local_postgres.hpp"

namespace {

bool become(const char* name) {
  const passwd* user = getpwnam(name);
  return user != nullptr && setgroups(0, nullptr) == 0 && setgid(user->pw_gid) == 0 &&
         setuid(user->pw_uid) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2 || (count > 2 && !become(arguments[2]))) return 2;
  const auto server = weir::LocalPostgres::open(arguments[1]);
  if (!server) {
    std::printf("%s: %s\n", server.error().kind.c_str(), server.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", server->url().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
