// The same in a table of chains whose hash has no key. Argument: sip | fnv.

#include "../hostile.hpp"

using namespace bench;

namespace {

class Unkeyed {
public:
    explicit Unkeyed(bool is_sip) : is_sip_(is_sip), chains_(1 << BITS) {}

    void add(const std::string &owner, const std::string &peer) { chain(owner, peer).push_back(owner + peer); }

    bool contains(const std::string &owner, const std::string &peer) {
        const auto &keys = chain(owner, peer);
        return std::find(keys.begin(), keys.end(), owner + peer) != keys.end();
    }

private:
    static constexpr int BITS = 18;

    std::vector<std::string> &chain(const std::string &owner, const std::string &peer) {
        if (is_sip_) return chains_[sip_pair({0, 0}, owner, peer).first >> (64 - BITS)];
        return chains_[fnv1a(peer, fnv1a(owner)) & ((1 << BITS) - 1)];
    }

    bool is_sip_;
    std::vector<std::vector<std::string>> chains_;
};

}  // namespace

int main(int count, char **arguments) {
    const std::string hash = count == 2 ? arguments[1] : "";
    Unkeyed table(hash == "sip");
    const auto add = [&](const std::string &owner, const std::vector<std::string> &list) {
        for (const auto &peer : list) table.add(owner, peer);
    };
    measure_hostile(hash, add, [&](const Question &question) { return std::size_t{table.contains(question.owner, question.peer)}; });
}
