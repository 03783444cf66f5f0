// Goes through bindings/scenario.json, whose file is the argument; bindings/README.md says what each step does.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "chatblock.hpp"

using json = nlohmann::json;
using namespace std::chrono_literals;
using chatblock::blocked;
using chatblock::client;
using chatblock::result;

namespace {

/// The client that all steps after `open` use.
client shared;

void must(bool holds, const std::string &what)
{
    if (!holds)
        throw std::runtime_error(what);
}

void same(const std::string &what, const json &got, const json &want)
{
    must(got == want, what + ": expected " + want.dump() + ", got " + got.dump());
}

void same_if_given(const json &expect, const char *key, const json &got)
{
    if (expect.contains(key))
        same(key, got, expect[key]);
}

std::string status_name(chatblock::status status)
{
    return std::string(chatblock::name(status)).substr(std::string("CHATBLOCK_").size());
}

std::string relation_name(chatblock::relation relation)
{
    static const std::map<chatblock::relation, std::string> names{{chatblock::relation::none, "NONE"},
                                                                  {chatblock::relation::no, "NO"},
                                                                  {chatblock::relation::a_with_b, "A_WITH_B"},
                                                                  {chatblock::relation::b_with_a, "B_WITH_A"},
                                                                  {chatblock::relation::both_way, "BOTH_WAY"}};
    return names.at(relation);
}

std::string answer_name(blocked answer)
{
    static const std::map<blocked, std::string> names{
        {blocked::yes, "YES"}, {blocked::no, "NO"}, {blocked::unknown, "UNKNOWN"}, {blocked::invalid, "INVALID"}};
    return names.at(answer);
}

/// "<any>" matches any value.
bool matches(const json &got, const json &want)
{
    if (want == "<any>")
        return true;
    if (got.type() != want.type() || got.size() != want.size() || !want.is_structured())
        return got == want;
    for (const auto &[key, value] : want.items()) {
        const bool is_there = want.is_array() || got.contains(key);
        if (!is_there || !matches(want.is_array() ? got[std::stoul(key)] : got[key], value))
            return false;
    }
    return true;
}

std::string text(const json &step, const char *key)
{
    return step.at(key).get<std::string>();
}

std::vector<std::string> texts(const json &step, const char *key)
{
    return step.at(key).get<std::vector<std::string>>();
}

void items_are_of_now(const result &answer)
{
    const auto now = std::chrono::system_clock::now();
    for (const auto &item : answer.items())
        must(item.time > now - 1min && item.time < now + 1min, std::string(item.account) + " is not of now");
}

void answers(const result &answer, const json &expect)
{
    same_if_given(expect, "status", status_name(answer.status()));
    same_if_given(expect, "service_code", answer.service_code());
    same_if_given(expect, "retryable", answer.retryable());
    same_if_given(expect, "command", answer.command());
    same_if_given(expect, "from", answer.owner());
    same_if_given(expect, "next_index", answer.next_index());
    const std::string message(answer.message());
    if (expect.contains("message_has"))
        must(message.find(expect["message_has"].get<std::string>()) != message.npos, "message: got " + message);
    if (expect.contains("items")) {
        json items = json::array();
        for (const auto &item : answer.items())
            items.push_back({item.account, status_name(item.status), item.code, relation_name(item.relation)});
        same("items", items, expect["items"]);
    }
    if (expect.value("timed", false))
        items_are_of_now(answer);
    if (expect.contains("json")) {
        const json document = json::parse(answer.json());
        must(matches(document, expect["json"]), "json: expected " + expect["json"].dump() + ", got " + document.dump());
    }
}

/// The call is made both ways: a failure is also an exception that says the same.
void call(const json &step, const std::function<result()> &make)
{
    const json &expect = step.at("expect");
    try {
        const result answer = make().or_throw();
        must(static_cast<bool>(answer), "a failure did not throw");
        answers(answer, expect);
    } catch (const chatblock::error &error) {
        must(!error.answer(), "a success threw");
        same("exception", status_name(error.status()), status_name(error.answer().status()));
        same("exception", error.what(), error.answer().message());
        answers(error.answer(), expect);
    }
}

template <class T>
void value(const json &step, const char *key, const chatblock::expected<T> &got,
           const std::function<json(const T &)> &read)
{
    const json &expect = step.at("expect");
    if (expect.contains("status"))
        same("status", status_name(got.status()), expect["status"]);
    else
        same(key, got ? read(*got) : json(status_name(got.status())), expect.at(key));
}

void succeeds(const result &answer)
{
    same("status", status_name(answer.status()), "OK");
}

void is_blocked_many(const json &step)
{
    const auto owners = texts(step, "owners");
    std::vector<blocked> answers(owners.size());
    const auto found = shared.is_blocked_many(owners, text(step, "peer"), answers);
    value<std::size_t>(step, "answers", found, [&](std::size_t yes) {
        json names = json::array();
        for (blocked answer : answers)
            names.push_back(answer_name(answer));
        same("answers that are yes", yes, std::count(answers.begin(), answers.end(), blocked::yes));
        return names;
    });
}

void blocked_pairs(const json &step)
{
    std::vector<chatblock::blocked_pair> pairs;
    const auto unknown = shared.blocked_pairs(texts(step, "accounts"), pairs);
    value<std::size_t>(step, "unknown", unknown, [](std::size_t count) { return count; });
    std::set<json> got, want(step["expect"]["pairs"].begin(), step["expect"]["pairs"].end());
    for (const auto &[owner, peer] : pairs)
        got.insert(json::array({owner, peer}));
    same("pairs", got, want);
}

/// Everybody on a list, in pages of 300.
std::size_t listed(const std::string &owner)
{
    std::set<std::string> accounts;
    std::uint32_t next = 0;
    do {
        const result page = shared.get(owner, next, 300).or_throw();
        for (const auto &item : page.items())
            accounts.emplace(item.account);
        next = page.next_index();
    } while (next != 0);
    return accounts.size();
}

void async(const json &step)
{
    const std::string from = text(step, "from");
    std::map<std::string, int> completed;
    chatblock::completions loop(shared);
    for (int i = 0; i < step.at("count"); i++) {
        const std::string target = "t" + std::to_string(i);
        loop.add(from, {target}, [&completed, &step, target](const result &done) {
                same("account", done.items()[0].account, target);
                same("status", status_name(done.status()), step["expect"]["status"]);
                completed[target]++;
            }).or_throw();
    }
    while (loop.pending() > 0)
        must(loop.run_once(20s), "no completion in 20 seconds");
    must(!loop.run_once(0ms), "one completion too many");
    for (const auto &[target, times] : completed)
        same(target + " completed", times, 1);
    same("completed", completed.size(), step["count"]);
    same("listed", listed(from), step["expect"]["listed"]);
}

void stats(const json &step)
{
    const json document = json::parse(shared.stats().or_throw().json());
    for (const auto &[path, want] : step["expect"]["has"].items()) {
        std::string pointer = "/" + path;
        for (char &letter : pointer)
            letter = letter == '.' ? '/' : letter;
        same(path, document.at(json::json_pointer(pointer)), want);
    }
}

void usersig(const json &step)
{
    const std::string key = text(step, "key"), identifier = text(step, "identifier");
    const result made = chatblock::usersig_generate(step.at("sdkappid"), key, identifier,
                                                    std::chrono::seconds(step.at("expire").get<int>()));
    succeeds(made);
    succeeds(chatblock::usersig_verify(step["sdkappid"], key, identifier, made.usersig()));
}

result refused_usersig(const json &step)
{
    return chatblock::usersig_verify(step.at("sdkappid"), text(step, "key"), text(step, "identifier"),
                                     text(step, "usersig"));
}

result webhook(const json &step)
{
    result answer = shared.apply_webhook(text(step, "query"), text(step, "body"));
    must(json::parse(answer.json()).is_object(), "nothing to answer with");
    return answer;
}

double resident_mib()
{
    long pages = 0;
    std::ifstream file("/proc/self/statm");
    file >> pages >> pages;
    return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}

void many_results(const json &step)
{
    const std::string from = text(step, "from");
    double before = 0;
    for (int i = 0; i < step.at("count"); i++) {
        if (i == 1000)
            before = resident_mib();
        static_cast<void>(shared.check(from, {"bob"}, chatblock::check_type::single));
    }
    const double grown = resident_mib() - before;
    must(before > 0 && grown < step.at("max_growth_mib"), "the process grew by " + std::to_string(grown) + " MiB");
}

void submit_and_close(const json &step)
{
    const std::string from = text(step, "from");
    std::map<int, int> ended;
    chatblock::completions loop(shared);
    for (int i = 0; i < step.at("count"); i++)
        loop.add(from, {"t" + std::to_string(i)}, [&ended, i](const result &done) {
                must(done || done.status() == chatblock::status::closed, "ended with " + status_name(done.status()));
                ended[i]++;
            }).or_throw();
    while (ended.size() < 10)
        must(loop.run_once(20s), "no completion in 20 seconds");
    const result closed = shared.close(20s);
    must(closed || closed.status() == chatblock::status::timeout, "close: " + status_name(closed.status()));
    loop.abandon();
    for (const auto &[number, times] : ended)
        same("call " + std::to_string(number) + " ended", times, 1);
    same("ended", ended.size(), step["count"]);
}

void after_close(const json &)
{
    std::vector<blocked> answer(1);
    std::vector<chatblock::blocked_pair> pairs;
    const chatblock::accounts bob{"bob"};
    const auto refused = [](const char *what, chatblock::status status) {
        same(what, status_name(status), "ERR_ARGUMENT");
    };
    chatblock::completions loop(shared);
    refused("add", shared.add("ann", bob).status());
    refused("delete", shared.remove("ann", bob).status());
    refused("check", shared.check("ann", bob, chatblock::check_type::both).status());
    refused("get", shared.get("ann").status());
    refused("call", shared.call("black_list_get", "{}").status());
    refused("is_blocked", shared.is_blocked("ann", "bob").status());
    refused("is_blocked_many", shared.is_blocked_many(bob, "ann", answer).status());
    refused("blocked_pairs", shared.blocked_pairs(bob, pairs).status());
    refused("watch", shared.watch(bob).status());
    refused("unwatch", shared.unwatch(bob).status());
    refused("async", loop.add("ann", bob, [](const result &) {}).status());
    refused("flush", shared.flush(1s).status());
    refused("sync", shared.sync(1s).status());
    refused("backup", shared.backup("copy.db").status());
    refused("cancel", shared.cancel(77).status());
    refused("stats", shared.stats().status());
    refused("webhook", shared.apply_webhook("", "").status());
    must(!loop.run_once(chatblock::forever), "a completion after close");
    succeeds(shared.close());
}

void backup(const json &step)
{
    char folder[] = "/tmp/chatblock-XXXXXX";
    must(mkdtemp(folder) != nullptr, "no folder");
    const std::string at = folder, copy = at + "/copy.db";
    const auto open = [](const std::string &path) {
        return client::open(json{{"backend", "embedded"}, {"path", path}}.dump()).or_throw();
    };
    {
        const client store = open(at + "/lists.db");
        succeeds(store.add(text(step, "from"), texts(step, "to")));
        succeeds(store.backup(copy));
        call(step, [&] { return store.backup(copy); });
    }
    {
        const client copied = open(copy);
        const result page = copied.get(text(step, "from"));
        std::vector<std::string> listed;
        for (const auto &item : page.items())
            listed.emplace_back(item.account);
        same("listed", listed, step.at("to"));
    }
    std::filesystem::remove_all(at);
}

result check(const json &step)
{
    const auto type = step.at("type") == "BOTH" ? chatblock::check_type::both : chatblock::check_type::single;
    return shared.check(text(step, "from"), texts(step, "to"), type);
}

const std::map<std::string, std::function<void(const json &)>> table{
    {"version",
     [](const json &step) {
         const std::string start = text(step.at("expect"), "starts_with");
         same("version", chatblock::version().substr(0, start.size()), start);
     }},
    {"open", [](const json &step) { shared = client::open(step.at("config").dump()).or_throw(); }},
    {"open_fails",
     [](const json &step) { call(step, [&] { return client::open(step.at("config").dump()).error(); }); }},
    {"add",
     [](const json &step) { call(step, [&] { return shared.add(text(step, "from"), texts(step, "to")); }); }},
    {"delete",
     [](const json &step) { call(step, [&] { return shared.remove(text(step, "from"), texts(step, "to")); }); }},
    {"check", [](const json &step) { call(step, [&] { return check(step); }); }},
    {"get",
     [](const json &step) {
         call(step, [&] { return shared.get(text(step, "from"), step.at("start"), step.at("max")); });
     }},
    {"call",
     [](const json &step) { call(step, [&] { return shared.call(text(step, "command"), text(step, "request")); }); }},
    {"is_blocked",
     [](const json &step) {
         value<blocked>(step, "answer", shared.is_blocked(text(step, "owner"), text(step, "peer")), answer_name);
     }},
    {"is_blocked_many", is_blocked_many},
    {"blocked_pairs", blocked_pairs},
    {"watch", [](const json &step) { succeeds(shared.watch(texts(step, "owners"))); }},
    {"bad_value", [](const json &) {}}, // the compiler refuses them
    {"unwatch", [](const json &step) { succeeds(shared.unwatch(texts(step, "owners"))); }},
    {"async", async},
    {"flush", [](const json &) { succeeds(shared.flush(20s)); }},
    {"sync_fails", [](const json &step) { call(step, [] { return shared.sync(20s); }); }},
    {"backup_fails", [](const json &step) { call(step, [] { return shared.backup("no-copy.db"); }); }},
    {"backup", backup},
    {"cancel",
     [](const json &step) {
         same("cancelled", shared.cancel(step.at("tag")).or_throw(), step["expect"]["cancelled"]);
     }},
    {"stats", stats},
    {"usersig", usersig},
    {"usersig_fails", [](const json &step) { call(step, [&] { return refused_usersig(step); }); }},
    {"webhook", [](const json &step) { call(step, [&] { return webhook(step); }); }},
    {"many_results", many_results},
    {"submit_and_close", submit_and_close},
    {"after_close", after_close},
};

} // namespace

int main(int count, char **arguments)
{
    if (count != 2) {
        std::cerr << "usage: scenario SCENARIO.JSON\n";
        return 2;
    }
    std::ifstream file(arguments[1]);
    const json scenario = json::parse(file);
    int number = 0;
    for (const json &step : scenario.at("steps")) {
        number++;
        try {
            table.at(step.at("do"))(step);
        } catch (const std::exception &error) {
            std::cout << "step " << number << ", " << step.dump() << ": " << error.what() << '\n';
            return 1;
        }
    }
    std::cout << "scenario: " << number << " steps\n";
    return 0;
}
