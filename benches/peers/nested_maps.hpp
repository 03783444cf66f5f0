// P2, P5: blocklists as a C++ team keeps them: a map from owners to sets of accounts behind a shared_mutex.
#pragma once

#include <mutex>
#include <shared_mutex>

#include "../population.hpp"
#include "../standing.hpp"

namespace bench {

template <class Map>
class Blocklists {
public:
    void add(const std::string &owner, const std::vector<std::string> &accounts) {
        const std::unique_lock<std::shared_mutex> lock(mutex_);
        auto &list = lists_[owner];
        for (const auto &account : accounts) list.insert(account);
    }

    bool is_blocked(const std::string &owner, const std::string &account) const {
        const std::shared_lock<std::shared_mutex> lock(mutex_);
        const auto list = lists_.find(owner);
        return list != lists_.end() && list->second.find(account) != list->second.end();
    }

private:
    mutable std::shared_mutex mutex_;
    Map lists_;
};

/// Argument: PAIRS. Then turns: one.
template <class Map>
void check_nested_maps(int count, char **arguments) {
    require(count == 2, "usage: PAIRS");
    const unsigned long pairs = std::strtoul(arguments[1], nullptr, 10);
    const double before = resident_bytes();
    Blocklists<Map> blocklists;
    populate(pairs, [&](const std::string &owner, const std::vector<std::string> &list) { blocklists.add(owner, list); });
    say("{\"resident\": " + std::to_string(resident_bytes() - before) + "}");
    take_turns([&](const std::string &what, std::size_t asked, unsigned long seed) {
        require(what == "one", "not a turn: " + what);
        return ns_per_question(questions(pairs, asked, seed), [&](const Question &question) {
            return blocklists.is_blocked(question.owner, question.peer);
        });
    });
}

}  // namespace bench
