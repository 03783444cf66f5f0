// P9: one call per block, as every SDK does it, at the pace that the service allows: the n-th call goes
// out n / RATE seconds after the first. Arguments: URL USERSIG BLOCKS OWNERS RATE

#include <atomic>

#include "libcurl_service.hpp"

using namespace bench;

namespace {

constexpr int THREADS = 8;

}  // namespace

int main(int count, char **arguments) {
    require(count == 6, "usage: URL USERSIG BLOCKS OWNERS RATE");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    RemoteCall call(arguments[1], arguments[2]);
    const int blocks = std::atoi(arguments[3]), owner_count = std::atoi(arguments[4]), rate = std::atoi(arguments[5]);
    require(blocks > 0 && owner_count > 0 && rate > 0, "numbers must be positive");
    const auto owners = accounts("owne", owner_count), names = accounts("play", blocks / owner_count + 1);
    std::atomic<int> next{0};
    const Moment from;
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < THREADS; ++i) {
        threads.emplace_back([&] {
            Service service(call);
            for (int n; (n = next++) < blocks;) {
                std::this_thread::sleep_until(began + std::chrono::microseconds(1'000'000LL * n / rate));
                const auto items = service.add(owners[n % owner_count], {names[n / owner_count]});
                require(items.size() == 1 && items[0].code == 0, "a block was refused");
            }
        });
    }
    for (auto &thread : threads) thread.join();
    const Moment to;
    std::printf("{\"seconds\": %.4f, \"cpu_us\": %.4f}\n", (to.wall - from.wall) / 1e6, (to.cpu - from.cpu) / blocks);
}
