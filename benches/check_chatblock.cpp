// P1, P3, P4, P5: who blocks whom, asked through chatblock's C ABI.
// Arguments: PAIRS embedded | PAIRS remote URL SECRET_KEY. Then turns:
//   one       is_blocked, one thread
//   many      is_blocked_many, 64 owners; nanoseconds of each pair
//   threads1  is_blocked, a write before each hundredth, one thread; embedded only, as are the next two
//   threads2  the same on two threads
//   beside    is_blocked while another thread does nothing but write

#include <atomic>

#include "population.hpp"
#include "service_client.hpp"
#include "standing.hpp"

using namespace bench;

namespace {

constexpr std::size_t BATCH = 64, CHECKS_PER_WRITE = 100;

double stat(const chatblock_client *client, const std::string &group, const std::string &name) {
    chatblock_result *stats = chatblock_client_stats(client);
    const std::string text = chatblock_result_json(stats), key = "\"" + name + "\":";
    chatblock_result_free(stats);
    const auto found = text.find(key, text.find("\"" + group + "\":"));
    require(found != std::string::npos, "the stats lack " + group + "." + name);
    return std::atof(text.c_str() + found + key.size());
}

std::vector<const char *> pointers(const std::vector<std::string> &texts) {
    std::vector<const char *> pointers;
    for (const auto &text : texts) pointers.push_back(text.c_str());
    return pointers;
}

void must_be_done(chatblock_result *result) {
    require(chatblock_result_status(result) == CHATBLOCK_OK, chatblock_result_message(result));
    chatblock_result_free(result);
}

chatblock_client *fill_embedded(unsigned long pairs) {
    chatblock_client *client = chatblock_client_open("{}", nullptr);
    require(client != nullptr, "the client does not open");
    populate(pairs, [&](const std::string &owner, const std::vector<std::string> &list) {
        must_be_done(chatblock_blocklist_add(client, owner.c_str(), pointers(list).data(), list.size()));
    });
    return client;
}

/// The service lists what the population is; refresh is left for another day.
chatblock_client *fill_remote(const std::vector<const char *> &owners, const std::string &url, const std::string &secret_key) {
    chatblock_client *client = open_client(
        url, secret_key,
        ",\"rate_per_second\":100000,\"cache\":{\"max_bytes\":8589934592,\"refresh_s\":86400,\"max_age_s\":86400}");
    require(chatblock_client_watch(client, owners.data(), owners.size()) == CHATBLOCK_OK, "the owners are not watched");
    const auto all = static_cast<double>(owners.size());
    while (stat(client, "cache", "owners") < all) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return client;
}

std::size_t is_blocked(const chatblock_client *client, const Question &question) {
    return static_cast<std::size_t>(chatblock_client_is_blocked(client, question.owner.c_str(), question.peer.c_str()));
}

double many(const chatblock_client *client, const std::vector<Question> &questions) {
    std::vector<const char *> owners;
    for (const auto &question : questions) owners.push_back(question.owner.c_str());
    std::vector<std::int8_t> answers(BATCH);
    const std::size_t nothing = opaque<std::size_t>(0), end = questions.size() / BATCH * BATCH;
    std::size_t found = 0, expected = 0;
    const double from = thread_cpu_us();
    for (std::size_t at = 0; at < end;) {
        const char *peer = questions[at].peer.c_str();
        const auto blocked = chatblock_client_is_blocked_many(client, &owners[at], BATCH, peer, answers.data());
        found += static_cast<std::size_t>(blocked);
        at += BATCH + (static_cast<std::size_t>(blocked) & nothing);
    }
    const double to = thread_cpu_us();
    for (std::size_t at = 0; at < end; ++at) {
        const char *peer = questions[at / BATCH * BATCH].peer.c_str();
        expected += static_cast<std::size_t>(chatblock_client_is_blocked(client, owners[at], peer));
    }
    require(found == expected && found > 0, "together the answers are others than one by one");
    return (to - from) * 1e3 / static_cast<double>(end);
}

/// Blocks and unblocks, in turn.
class Writer {
public:
    Writer(const chatblock_client *client, int number)
        : client_(client), owner_(account("writ", number)), target_(account("play", number)) {}

    void write() {
        const char *target = target_.c_str();
        is_blocked_ = !is_blocked_;
        const auto change = is_blocked_ ? chatblock_blocklist_add : chatblock_blocklist_delete;
        must_be_done(change(client_, owner_.c_str(), &target, 1));
    }

private:
    const chatblock_client *client_;
    std::string owner_, target_;
    bool is_blocked_ = false;
};

/// Nanoseconds from the first check to the last, divided by the checks of all threads.
double on_threads(const chatblock_client *client, int threads, const std::vector<Question> &questions) {
    Gate ready(threads), done(threads);
    const std::size_t each = questions.size() / static_cast<std::size_t>(threads);
    std::vector<std::thread> running;
    for (int number = 0; number < threads; ++number) {
        running.emplace_back([&, number] {
            const std::vector<Question> own(questions.begin() + number * each, questions.begin() + (number + 1) * each);
            Writer writer(client, number);
            std::size_t asked = 0;
            ready.pass();
            ns_per_question(own, [&](const Question &question) {
                if (++asked % CHECKS_PER_WRITE == 0) writer.write();
                return is_blocked(client, question);
            });
            done.pass();
        });
    }
    for (auto &thread : running) thread.join();
    return (done.passed().wall - ready.passed().wall) * 1e3 / static_cast<double>(questions.size());
}

double beside_a_writer(const chatblock_client *client, const std::vector<Question> &questions) {
    Gate ready(2);
    std::atomic<bool> is_over{false};
    std::thread writing([&] {
        Writer writer(client, 0);
        ready.pass();
        while (!is_over) writer.write();
    });
    ready.pass();
    const double ns = ns_per_question(questions, [&](const Question &question) { return is_blocked(client, question); });
    is_over = true;
    writing.join();
    return ns;
}

}  // namespace

int main(int count, char **arguments) {
    const bool is_remote = count == 5 && std::string(arguments[2]) == "remote";
    require(is_remote || (count == 3 && std::string(arguments[2]) == "embedded"),
            "usage: PAIRS embedded | PAIRS remote URL SECRET_KEY");
    const unsigned long pairs = std::strtoul(arguments[1], nullptr, 10);
    const auto names = accounts("owne", static_cast<int>(pairs / PAIRS_PER_OWNER));
    const auto owners = pointers(names);
    const double before = resident_bytes();
    chatblock_client *client = is_remote ? fill_remote(owners, arguments[3], arguments[4]) : fill_embedded(pairs);
    const double used = resident_bytes() - before;
    require(stat(client, "cache", "pairs") == static_cast<double>(pairs), "pairs are missing");
    const Advised advised;
    say("{\"resident\": " + std::to_string(used) + ", \"cache_resident\": " + std::to_string(advised.resident) +
        ", \"huge\": " + std::to_string(advised.huge) +
        ", \"cache_bytes\": " + std::to_string(stat(client, "cache", "bytes")) + "}");
    take_turns([&](const std::string &what, std::size_t asked, unsigned long seed) {
        const auto all = questions(pairs, asked, seed);
        if (what == "one") return ns_per_question(all, [&](const Question &question) { return is_blocked(client, question); });
        if (what == "many") return many(client, all);
        if (what == "threads1") return on_threads(client, 1, all);
        if (what == "threads2") return on_threads(client, 2, all);
        require(what == "beside", "not a turn: " + what);
        return beside_a_writer(client, all);
    });
    require(chatblock_client_close(client, 1000) == CHATBLOCK_OK, "work was left");
}
