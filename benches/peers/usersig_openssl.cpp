// P10: the official C++ way, written anew: OpenSSL's HMAC, JSON by hand, zlib at level 1 with a fresh
// stream for each signature, OpenSSL's base64 with three characters exchanged. Argument: how many.

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include <algorithm>
#include <ctime>

#include "../common.hpp"

using namespace bench;

namespace {

std::string base64(const unsigned char *data, std::size_t size) {
    std::string text(4 * ((size + 2) / 3) + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()), data, static_cast<int>(size));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::string hmac(const std::string &key, const std::string &text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char *>(text.data()),
         text.size(), mac, &length);
    return base64(mac, length);
}

std::string generate(unsigned sdkappid, const std::string &key, const std::string &identifier, long expire) {
    const std::string app = std::to_string(sdkappid), life = std::to_string(expire), now = std::to_string(std::time(nullptr));
    const std::string signature = hmac(key, "TLS.identifier:" + identifier + "\nTLS.sdkappid:" + app + "\nTLS.time:" + now +
                                                "\nTLS.expire:" + life + "\n");
    const std::string document = "{\"TLS.ver\":\"2.0\",\"TLS.identifier\":\"" + identifier + "\",\"TLS.sdkappid\":" + app +
                                 ",\"TLS.expire\":" + life + ",\"TLS.time\":" + now + ",\"TLS.sig\":\"" + signature + "\"}";
    std::string stream(compressBound(document.size()), '\0');
    uLongf length = stream.size();
    // compress2() sets up and tears down a deflate stream.
    const int outcome = compress2(reinterpret_cast<Bytef *>(stream.data()), &length,
                                  reinterpret_cast<const Bytef *>(document.data()), document.size(), Z_BEST_SPEED);
    require(outcome == Z_OK, "zlib failed");
    std::string usersig = base64(reinterpret_cast<const unsigned char *>(stream.data()), length);
    for (char &symbol : usersig) {
        if (symbol == '+') symbol = '*';
        if (symbol == '/') symbol = '-';
        if (symbol == '=') symbol = '_';
    }
    return usersig;
}

}  // namespace

int main(int count, char **arguments) {
    require(count == 2, "usage: COUNT");
    const std::string key = "a secret key of the usual length, 64 bytes, as text 000000000000";
    run(1, std::atoi(arguments[1]), [&](int) {
        return [&] { require(!generate(1400000001, key, "play_0000000001", 86400).empty(), "no signature"); };
    });
}
