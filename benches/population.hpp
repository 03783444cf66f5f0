// Who blocks whom, what is asked about it, and how asking is timed. The same in every program of P1 to P5 and
// P12; peers/check_rust.rs and the lists of peers/http_server have it once more.
#pragma once

#include <cstdint>
#include <random>

#include "common.hpp"

namespace bench {

constexpr unsigned long PAIRS_PER_OWNER = 100;

/// The `index`-th account that an owner blocks. No two owners block the same one, and neighbours are far apart.
inline std::string blocked_account(unsigned long owner, unsigned long index) {
    return account("play", static_cast<std::uint32_t>((owner * PAIRS_PER_OWNER + index) * 2654435761u));
}

inline std::string owner_account(unsigned long owner) { return account("owne", owner); }

/// Calls `add(owner, accounts)` with each owner's list.
template <class Add>
void populate(unsigned long pairs, Add add) {
    require(pairs >= 2 * PAIRS_PER_OWNER, "there must be two owners");
    std::vector<std::string> list(PAIRS_PER_OWNER);
    for (unsigned long owner = 0; owner < pairs / PAIRS_PER_OWNER; ++owner) {
        for (unsigned long index = 0; index < PAIRS_PER_OWNER; ++index) list[index] = blocked_account(owner, index);
        add(owner_account(owner), list);
    }
}

/// P12: the longest list that the service allows.
inline std::vector<std::string> full_list(unsigned long owner) {
    std::vector<std::string> list;
    for (unsigned long index = 0; index < 1000; ++index) list.push_back(account("play", owner * 1000 + index));
    return list;
}

struct Question {
    std::string owner, peer;
    bool is_hit;
};

/// Of a random owner about a random account, half of them on its list. Each `seed` has others, so that no
/// answer is in a cache because it was given before.
inline std::vector<Question> questions(unsigned long pairs, std::size_t count, unsigned long seed) {
    const unsigned long owners = pairs / PAIRS_PER_OWNER;
    std::mt19937_64 random(seed);
    std::vector<Question> questions;
    questions.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned long owner = random() % owners, index = random() % PAIRS_PER_OWNER;
        const bool is_hit = random() % 2 == 0;
        const unsigned long listed_by = is_hit ? owner : (owner + 1 + random() % (owners - 1)) % owners;
        questions.push_back({owner_account(owner), blocked_account(listed_by, index), is_hit});
    }
    return questions;
}

/// Hides from the compiler that a value is what it is.
template <class T>
T opaque(T value) {
    asm volatile("" : "+r"(value));
    return value;
}

/// Nanoseconds of each `ask(question)`, which gives 1 or 0. Which question is next depends on the answer
/// before, as far as the processor can tell: none overlap, as when a message waits for its answer.
template <class Ask>
double ns_per_question(const std::vector<Question> &questions, Ask ask, double (*clock_us)() = thread_cpu_us) {
    const std::size_t nothing = opaque<std::size_t>(0);
    std::size_t wrong = 0;
    const double from = clock_us();
    for (std::size_t at = 0; at < questions.size();) {
        const std::size_t answer = ask(questions[at]);
        wrong += answer != questions[at].is_hit;
        at += 1 + (answer & nothing);
    }
    const double to = clock_us();
    require(wrong == 0, std::to_string(wrong) + " answers were wrong");
    return (to - from) * 1e3 / static_cast<double>(questions.size());
}

}  // namespace bench
