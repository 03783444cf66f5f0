// P17: an outbox in which many writes wait. Arguments: fill FILE WRITES, which records them while nothing listens, or
// open FILE, which opens it and waits for the first request at a port of its own.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "service_client.hpp"

using namespace bench;

namespace {

constexpr unsigned long OWNERS = 10000;
constexpr int PATIENCE_MS = 600000;
// How long the client may fill what it keeps in memory after its first request.
constexpr useconds_t QUIET_US = 500000;

chatblock_client *open_outbox(const std::string &base_url, const char *file) {
    const std::string key = "a secret key of the usual length, 64 bytes, as text 000000000000";
    return open_client(base_url, key,
                       std::string(",\"outbox\":{\"path\":\"") + file + "\"},\"queue\":{\"max_calls\":16000000}");
}

void fill(const char *file, unsigned long writes) {
    // Nobody listens at the discard port.
    chatblock_client *client = open_outbox("http://127.0.0.1:9", file);
    for (unsigned long number = 0; number < writes; ++number) {
        const std::string owner = account("ownr", number % OWNERS), target = account("trgt", number);
        const char *targets[] = {target.c_str()};
        const auto status = chatblock_blocklist_add_async(client, owner.c_str(), targets, 1, number, nullptr);
        require(status == CHATBLOCK_OK, chatblock_status_name(status));
    }
    require(chatblock_client_sync(client, PATIENCE_MS) == CHATBLOCK_OK, "not all is on disk");
    require(chatblock_client_close(client, PATIENCE_MS) == CHATBLOCK_OK, "something was dropped");
    std::printf("{}\n");
}

/// A line of /proc/self/status, in bytes.
double memory(const std::string &name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        double kib = 0;
        if (word == name + ":" && status >> kib) return kib * 1024;
    }
    fail("the system does not tell " + name);
}

/// Takes connections and says nothing.
class Listener {
public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto *generic = reinterpret_cast<sockaddr *>(&address);
        require(::bind(socket_, generic, length) == 0 && ::listen(socket_, 64) == 0, "cannot listen");
        require(::getsockname(socket_, generic, &length) == 0, "no port");
        base_url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }

    const std::string &base_url() const { return base_url_; }

    /// Waits for the first byte of a request; the connection stays.
    void wait_for_request() const {
        char byte = 0;
        const int peer = ::accept(socket_, nullptr, nullptr);
        require(peer >= 0 && ::recv(peer, &byte, 1, 0) == 1, "no request came");
    }

private:
    int socket_;
    std::string base_url_;
};

void open_and_send(const char *file) {
    const Listener listener;
    // What the library needs in any case is there before memory is looked at.
    chatblock_client *small = chatblock_client_open("{}", nullptr);
    require(chatblock_client_close(small, PATIENCE_MS) == CHATBLOCK_OK, "a client does not close");
    const double before = memory("RssAnon"), from = wall_us();
    // It ends with the process: what is under way has no other end here.
    static_cast<void>(open_outbox(listener.base_url(), file));
    const double opened = wall_us();
    listener.wait_for_request();
    const double sent = wall_us();
    ::usleep(QUIET_US);
    const double after = memory("RssAnon");
    std::printf("{\"open_s\": %.4f, \"first_request_s\": %.4f, \"bytes\": %.0f, \"peak_bytes\": %.0f}\n", (opened - from) / 1e6,
                (sent - from) / 1e6, after - before, memory("VmHWM"));
    std::fflush(stdout);
    ::_exit(0);
}

}  // namespace

int main(int count, char **arguments) {
    require(count >= 3, "usage: fill FILE WRITES | open FILE");
    if (std::strcmp(arguments[1], "fill") == 0 && count == 4) {
        fill(arguments[2], std::strtoul(arguments[3], nullptr, 10));
    } else {
        open_and_send(arguments[2]);
    }
}
