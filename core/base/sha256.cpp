#include "base/sha256.hpp"

#include <openssl/evp.h>

#include "base/assert.hpp"
#include "base/hex.hpp"

namespace weir {
namespace {

// Fetched once: fetching costs more than hashing a small file.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  WEIR_ASSERT(state_->context != nullptr);
  const int began = EVP_DigestInit_ex(state_->context, algorithm(), nullptr);
  WEIR_ASSERT(began == 1);
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  const int updated = EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
  WEIR_ASSERT(updated == 1);
}

std::string Sha256::hex() {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  const int ended =
      EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.data()), &size);
  WEIR_ASSERT(ended == 1 && size == 32);  // 64 hex digits
  digest.resize(size);
  return hex_digits(digest);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace weir
