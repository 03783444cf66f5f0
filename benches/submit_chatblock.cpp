// P6: what a tick thread pays to hand over a block. Calls come in bursts with pauses between them, as
// from a tick loop that takes its completions too; only the bursts are measured.
//
// Arguments: URL SECRET_KEY CALLS CALLS_PER_TICK [MORE], where MORE is further members of the
// configuration, each with a comma before it.

#include <algorithm>

#include "service_client.hpp"

using namespace bench;

// Every allocation of the process comes by here, those of the library included.
static thread_local long allocations;

extern "C" {
void *__libc_malloc(std::size_t size);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *old, std::size_t size);
void *__libc_memalign(std::size_t alignment, std::size_t size);

void *malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}

void *calloc(std::size_t count, std::size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}

void *realloc(void *old, std::size_t size) {
    ++allocations;
    return __libc_realloc(old, size);
}

int posix_memalign(void **made, std::size_t alignment, std::size_t size) {
    ++allocations;
    *made = __libc_memalign(alignment, size);
    return *made == nullptr ? 12 : 0;
}
}

namespace {

constexpr int OWNERS = 100;
constexpr int PAUSE_US = 16667;

struct Cost {
    std::vector<double> wall_us;
    double cpu_us = 0;
    long allocations = 0;
};

/// One burst; the i-th call is of the i-th owner, about an account that is new to it.
void tick(const chatblock_client *client, const std::vector<std::string> &owners, const std::vector<std::string> &names,
          int from, int to, Cost &cost) {
    const double cpu = thread_cpu_us();
    const long before = allocations;
    double wall = wall_us();
    for (int i = from; i < to; ++i) {
        const char *target = names[i / OWNERS].c_str();
        const auto status = chatblock_blocklist_add_async(client, owners[i % OWNERS].c_str(), &target, 1, i, nullptr);
        if (status != CHATBLOCK_OK) fail("a call was not accepted: " + std::to_string(status));
        const double now = wall_us();
        cost.wall_us.push_back(now - wall);
        wall = now;
    }
    cost.allocations += allocations - before;
    cost.cpu_us += thread_cpu_us() - cpu;
}

double quantile(const std::vector<double> &sorted, double part) {
    return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int main(int count, char **arguments) {
    require(count == 5 || count == 6, "usage: URL SECRET_KEY CALLS CALLS_PER_TICK [MORE]");
    const int calls = std::atoi(arguments[3]), per_tick = std::atoi(arguments[4]);
    require(calls > 0 && per_tick > 0, "numbers must be positive");
    const std::string more = count == 6 ? arguments[5] : "";
    chatblock_client *client =
        open_client(arguments[1], arguments[2], ",\"queue\":{\"max_calls\":200000}" + more);
    const auto owners = accounts("owne", OWNERS), names = accounts("play", calls / OWNERS + 1);
    Cost cost;
    cost.wall_us.reserve(calls);
    int taken = 0;
    for (int from = 0; from < calls; from += per_tick) {
        tick(client, owners, names, from, std::min(from + per_tick, calls), cost);
        while (take_completion(client, 0)) ++taken;
        std::this_thread::sleep_for(std::chrono::microseconds(PAUSE_US));
    }
    while (taken < calls) {
        require(take_completion(client, 60000), "a completion is missing");
        ++taken;
    }
    chatblock_client_close(client, 1000);
    std::sort(cost.wall_us.begin(), cost.wall_us.end());
    std::printf("{\"median_us\": %.4f, \"p999_us\": %.4f, \"worst_us\": %.4f, \"cpu_us\": %.4f, \"allocations\": %.4f}\n",
                quantile(cost.wall_us, 0.5), quantile(cost.wall_us, 0.999), cost.wall_us.back(), cost.cpu_us / calls,
                static_cast<double>(cost.allocations) / calls);
}
