// Identifiers that somebody chose so that their pairs collide in a table whose hash has no key, beside
// ordinary ones, and what it costs to ask about them.
#pragma once

#include <algorithm>

#include "hashing.hpp"
#include "population.hpp"

namespace bench {

/// Whether a pair is one of the 1024th part that meets in the same 1024th of a table.
using Collides = bool (*)(const std::string &owner, const std::string &peer);

/// In a table that takes the upper bits of SipHash-1-3, as chatblock's does, if its key were known.
inline bool collides_under_sip(const std::string &owner, const std::string &peer) {
    return sip_pair({0, 0}, owner, peer).first >> 54 == 0;
}

/// In a table that takes the lower bits of FNV-1a.
inline bool collides_under_fnv(const std::string &owner, const std::string &peer) {
    return (fnv1a(peer, fnv1a(owner)) & 1023) == 0;
}

/// Asked together, so that the clock does not count; the strings of one group stand together.
using Group = std::vector<Question>;

struct Groups {
    std::vector<Group> groups;

    void add(const std::string &owner, const std::string &peer, bool is_hit) {
        constexpr std::size_t SIZE = 8;
        if (groups.empty() || groups.back().size() == SIZE) groups.emplace_back();
        groups.back().push_back({owner, peer, is_hit});
    }
};

/// Adds 1 to the number at the end of an account.
inline void count_up(std::string &account) {
    auto digit = account.rbegin();
    while (*digit == '9') *digit++ = '0';
    ++*digit;
}

/// 500 owners with 100 accounts each that collide and are blocked, and 20 that collide and are not.
template <class Add>
Groups fill_with_hostile(Collides collides, Add add) {
    Groups hits, misses;
    for (unsigned long number = 0; number < 500; ++number) {
        const std::string owner = account("host", number);
        std::vector<std::string> list;
        std::string peer = account("play", 0);
        for (std::size_t found = 0; found < 120; count_up(peer)) {
            if (!collides(owner, peer)) continue;
            const bool is_hit = ++found <= 100;
            (is_hit ? hits : misses).add(owner, peer, is_hit);
            if (is_hit) list.push_back(peer);
        }
        add(owner, list);
    }
    hits.groups.insert(hits.groups.end(), misses.groups.begin(), misses.groups.end());
    return hits;
}

template <class Add>
Groups fill_with_ordinary(Add add) {
    constexpr unsigned long PAIRS = 100'000;
    populate(PAIRS, add);
    Groups ordinary;
    for (const auto &question : questions(PAIRS, 2 * PAIRS, 1)) ordinary.add(question.owner, question.peer, question.is_hit);
    return ordinary;
}

/// Of each group the median of its rounds: what interrupts the processor meets another group each time. A
/// group is asked once before it is timed, so that long ways in the table show and not what is in the cache.
template <class Ask>
std::vector<double> sorted_ns(const Groups &groups, Ask ask) {
    constexpr std::size_t ROUNDS = 9;
    std::vector<std::vector<double>> rounds(groups.groups.size());
    for (std::size_t round = 0; round < ROUNDS; ++round) {
        for (std::size_t i = 0; i < rounds.size(); ++i) {
            ns_per_question(groups.groups[i], ask, wall_us);
            rounds[i].push_back(ns_per_question(groups.groups[i], ask, wall_us));
        }
    }
    std::vector<double> medians;
    for (auto &times : rounds) {
        std::sort(times.begin(), times.end());
        medians.push_back(times[ROUNDS / 2]);
    }
    std::sort(medians.begin(), medians.end());
    return medians;
}

/// Argument: sip | fnv.
template <class Add, class Ask>
void measure_hostile(const std::string &hash, Add add, Ask ask) {
    require(hash == "sip" || hash == "fnv", "usage: sip | fnv");
    const auto hostile = fill_with_hostile(hash == "sip" ? collides_under_sip : collides_under_fnv, add);
    const auto ordinary = fill_with_ordinary(add);
    const auto slow = sorted_ns(hostile, ask), usual = sorted_ns(ordinary, ask);
    std::printf("{\"slowest_ns\": %.2f, \"median_ns\": %.2f, \"ordinary_ns\": %.2f}\n", slow.back(), slow[slow.size() / 2],
                usual[usual.size() / 2]);
}

}  // namespace bench
