// SipHash-1-3 with 128 bits of result, and FNV-1a: for the floor of a check, and to choose ids that collide
// in a table whose hash has no key.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace bench {

using Key = std::uint64_t[2];

class SipHash13 {
public:
    struct Result {
        std::uint64_t first, second;
    };

    explicit SipHash13(const Key &key)
        : v0_(key[0] ^ 0x736f6d6570736575), v1_(key[1] ^ 0x646f72616e646f6d ^ 0xee), v2_(key[0] ^ 0x6c7967656e657261),
          v3_(key[1] ^ 0x7465646279746573) {}

    /// Absorbs a text and zeros up to a whole word; how many bytes these are.
    std::size_t absorb_padded(std::string_view text) {
        const char *next = text.data();
        std::size_t left = text.size();
        for (; left >= 8; left -= 8, next += 8) absorb(load(next, 8));
        if (left == 0) return text.size();
        // Without a copy of a length that varies, which is a call.
        absorb(text.size() < 8 ? load(next, left) : load(next + left - 8, 8) >> (64 - 8 * left));
        return text.size() + 8 - left;
    }

    /// `last` has what is left of the text, and its length in the highest byte.
    Result finish_with(std::uint64_t last) {
        absorb(last);
        v2_ ^= 0xee;
        const auto first = finish();
        v1_ ^= 0xdd;
        return {first, finish()};
    }

private:
    static std::uint64_t load(const char *from, std::size_t bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, bytes);
        return word;
    }

    static std::uint64_t rotate(std::uint64_t word, int by) { return word << by | word >> (64 - by); }

    void round() {
        v0_ += v1_, v1_ = rotate(v1_, 13) ^ v0_, v0_ = rotate(v0_, 32);
        v2_ += v3_, v3_ = rotate(v3_, 16) ^ v2_;
        v0_ += v3_, v3_ = rotate(v3_, 21) ^ v0_;
        v2_ += v1_, v1_ = rotate(v1_, 17) ^ v2_, v2_ = rotate(v2_, 32);
    }

    void absorb(std::uint64_t word) {
        v3_ ^= word;
        round();
        v0_ ^= word;
    }

    std::uint64_t finish() {
        for (int i = 0; i < 3; ++i) round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

    std::uint64_t v0_, v1_, v2_, v3_;
};

/// The hash of a pair of identifiers, each at most 32 bytes, as in the cache: each filled up with zeros to whole words,
/// then both lengths.
inline SipHash13::Result sip_pair(const Key &key, std::string_view owner, std::string_view peer) {
    SipHash13 hasher(key);
    std::size_t bytes = hasher.absorb_padded(owner);
    bytes += hasher.absorb_padded(peer) + 2;
    return hasher.finish_with(std::uint64_t{bytes} << 56 | peer.size() << 8 | owner.size());
}

inline std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
    for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return hash;
}

}  // namespace bench
