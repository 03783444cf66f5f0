// P12: a plain log of the same records, and reading it into the maps of P2. A record is one list, with its
// length and checksum before it, and is synced. Arguments: FILE PAIRS.

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <ctime>
#include <fstream>
#include <unordered_map>
#include <unordered_set>

#include "nested_maps.hpp"

using namespace bench;

namespace {

using Maps = Blocklists<std::unordered_map<std::string, std::unordered_set<std::string>>>;

struct Head {
    std::uint32_t length, checksum;
};

std::uint32_t checksum(const std::string &text) {
    return static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef *>(text.data()), static_cast<uInt>(text.size())));
}

/// A line for the owner, then a line for each pair: when it was blocked, and the account.
void append(int file, const std::string &owner, const std::vector<std::string> &list) {
    const std::string time = std::to_string(std::time(nullptr));
    std::string text = owner + '\n';
    for (const auto &account : list) text += time + ' ' + account + '\n';
    const Head head{static_cast<std::uint32_t>(text.size()), checksum(text)};
    const std::string record = std::string(reinterpret_cast<const char *>(&head), sizeof head) + text;
    require(write(file, record.data(), record.size()) == static_cast<ssize_t>(record.size()), "write failed");
    require(fdatasync(file) == 0, "fdatasync failed");
}

void read(const char *name, Maps &lists) {
    std::ifstream file(name, std::ios::binary);
    Head head{};
    while (file.read(reinterpret_cast<char *>(&head), sizeof head)) {
        std::string text(head.length, '\0');
        require(static_cast<bool>(file.read(text.data(), head.length)) && checksum(text) == head.checksum, "a record is damaged");
        std::vector<std::string> accounts;
        std::size_t at = text.find('\n');
        const std::string owner = text.substr(0, at);
        while (++at < text.size()) {
            const std::size_t space = text.find(' ', at), end = text.find('\n', space);
            accounts.push_back(text.substr(space + 1, end - space - 1));
            at = end;
        }
        lists.add(owner, accounts);
    }
}

}  // namespace

int main(int count, char **arguments) {
    require(count == 3, "usage: FILE PAIRS");
    const unsigned long pairs = std::strtoul(arguments[2], nullptr, 10);
    const int file = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(file >= 0, "the file cannot be made");
    double adding = 0;
    for (unsigned long owner = 0; owner < pairs / 1000; ++owner) {
        const auto name = owner_account(owner);
        const auto list = full_list(owner);
        const double from = wall_us();
        append(file, name, list);
        adding += wall_us() - from;
    }
    close(file);
    const double from = wall_us();
    Maps lists;
    read(arguments[1], lists);
    const double opening = wall_us() - from;
    require(lists.is_blocked(owner_account(pairs / 1000 - 1), full_list(pairs / 1000 - 1).back()), "the last pair is missing");
    std::printf("{\"add_us\": %.4f, \"open_us\": %.4f}\n", adding / pairs, opening / pairs);
}
