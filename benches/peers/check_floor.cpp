// P1: what no check can be faster than: hashing both identifiers, and one access to memory of that size.
// Arguments: PAIRS BYTES, where BYTES is what the cache uses for so many pairs. Then turns:
//   hash    SipHash-1-3 of both identifiers
//   access  a step of a walk through all lines in random order

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "../hashing.hpp"
#include "../population.hpp"
#include "../standing.hpp"

using namespace bench;

namespace {

constexpr std::size_t HUGE_PAGE = 2 << 20;

struct alignas(64) Line {
    std::uint64_t next;
};

/// Memory as the cache has it, with the same advice to the system.
Line *lines_of(std::size_t lines) {
    const std::size_t bytes = (lines * sizeof(Line) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *start = std::aligned_alloc(HUGE_PAGE, bytes);
    require(start != nullptr, "no memory");
    // A system without huge pages refuses, to the cache too. Small tables get no advice there either.
    if (lines * sizeof(Line) >= HUGE_PAGE) madvise(start, bytes, MADV_HUGEPAGE);
    return static_cast<Line *>(start);
}

/// Every line names the next one of a walk that comes back to its start after all.
Line *walk_of(std::size_t lines) {
    std::vector<std::uint32_t> order(lines);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
    Line *walk = lines_of(lines);
    for (std::size_t i = 0; i < lines; ++i) walk[order[i]].next = order[(i + 1) % lines];
    return walk;
}

double hash(const std::vector<Question> &questions) {
    const Key key = {opaque<std::uint64_t>(0x9e3779b97f4a7c15), opaque<std::uint64_t>(0xd1b54a32d192ed03)};
    const std::uint64_t nothing = opaque<std::uint64_t>(0);
    return ns_per_question(questions, [&](const Question &question) {
        const auto hash = sip_pair(key, question.owner, question.peer);
        return ((hash.first ^ hash.second) & nothing) + question.is_hit;
    });
}

}  // namespace

int main(int count, char **arguments) {
    require(count == 3, "usage: PAIRS BYTES");
    const unsigned long pairs = std::strtoul(arguments[1], nullptr, 10);
    const Line *walk = walk_of(std::strtoul(arguments[2], nullptr, 10) / sizeof(Line));
    std::uint64_t at = 0;
    say("{}");
    take_turns([&](const std::string &what, std::size_t steps, unsigned long seed) {
        if (what == "hash") return hash(questions(pairs, steps, seed));
        require(what == "access", "not a turn: " + what);
        const double from = thread_cpu_us();
        for (std::size_t i = 0; i < steps; ++i) at = walk[at].next;
        const double to = thread_cpu_us();
        at = opaque(at);
        return (to - from) * 1e3 / static_cast<double>(steps);
    });
}
